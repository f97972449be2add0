/** The path and the milliseconds of each request of an access log that failed: `node map-only.mjs INPUT OUTPUT`. */
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { linesOf } from './lines.mjs';

const [input, output] = process.argv.slice(2);
const file = createWriteStream(output);
for await (const line of linesOf(input)) {
  const fields = line.split(' ');
  if (Number(fields[8]) >= 500) file.write(`${fields[6]}\t${fields[10]}\n`);
}
file.end();
await finished(file);
