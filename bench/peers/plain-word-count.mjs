/** The throw-away script that word count would be without Millrace, in one thread: `node plain-word-count.mjs INPUT OUTPUT`. */
import { createReadStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [input, output] = process.argv.slice(2);
const counts = new Map();
for await (const line of createInterface({
  input: createReadStream(input),
  crlfDelay: Number.POSITIVE_INFINITY,
})) {
  for (const word of line.split(/[^A-Za-z]+/)) if (word) counts.set(word, (counts.get(word) ?? 0) + 1);
}
const lines = [...counts].map(([word, count]) => `${word}\t${count}\n`);
writeFileSync(output, lines.sort().join(''));
