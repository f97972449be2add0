/**
 * The throw-away script that word count would be without Millrace, in one thread: `node word-count.mjs INPUT OUTPUT`. INPUT is a file, or a
 * folder with files in it, at any depth.
 */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linesOf } from './lines.mjs';

const [input, output] = process.argv.slice(2);
const entries = statSync(input).isDirectory()
  ? readdirSync(input, { withFileTypes: true, recursive: true })
  : undefined;
const files = entries
  ?.filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => join(parentPath, name)) ?? [input];
const counts = new Map();
for (const file of files) {
  for await (const line of linesOf(file)) {
    for (const word of line.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
}
const lines = [...counts].map(([word, count]) => `${word}\t${count}\n`);
writeFileSync(output, lines.sort().join(''));
