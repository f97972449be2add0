/** The throw-away script that sorting 100-byte records would be without Millrace: all of them in memory. `node sort.mjs INPUT OUTPUT`. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const [input, output] = process.argv.slice(2);
const data = readFileSync(input);
const records = [];
for (let at = 0; at < data.length; at += 100) {
  records.push({ key: data.latin1Slice(at, at + 10), record: data.subarray(at, at + 100) });
}
records.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));

const file = openSync(output, 'w');
for (let from = 0; from < records.length; from += 10_000) {
  writeSync(file, Buffer.concat(records.slice(from, from + 10_000).map(({ record }) => record)));
}
closeSync(file);
