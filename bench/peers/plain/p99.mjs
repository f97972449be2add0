/** The 99th percentile of the milliseconds of each path of an access log, by nearest rank: `node p99.mjs INPUT OUTPUT`. */
import { writeFileSync } from 'node:fs';
import { linesOf } from './lines.mjs';

const [input, output] = process.argv.slice(2);
const timesOf = new Map();
for await (const line of linesOf(input)) {
  const fields = line.split(' ');
  const path = fields[6];
  const ms = Number(fields[10]);
  const times = timesOf.get(path);
  if (times) times.push(ms);
  else timesOf.set(path, [ms]);
}
const lines = [...timesOf].map(([path, times]) => {
  times.sort((a, b) => a - b);
  return `${path}\t${times[Math.ceil((99 * times.length) / 100) - 1]}\n`;
});
writeFileSync(output, lines.sort().join(''));
