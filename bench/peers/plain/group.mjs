/** For each user of JSON lines the number, the length and the longest of the bodies: `node group.mjs INPUT OUTPUT`. */
import { writeFileSync } from 'node:fs';
import { linesOf } from './lines.mjs';

const [input, output] = process.argv.slice(2);
const users = new Map();
for await (const line of linesOf(input)) {
  const { user, body } = JSON.parse(line);
  const sums = users.get(user) ?? { count: 0, bytes: 0, longest: 0 };
  sums.count++;
  sums.bytes += body.length;
  sums.longest = Math.max(sums.longest, body.length);
  users.set(user, sums);
}
const lines = [...users].map(
  ([user, { count, bytes, longest }]) => `${user}\t${count} ${bytes} ${longest}\n`,
);
writeFileSync(output, lines.sort().join(''));
