/** `npm run demo`: counts the words of the Markdown files under node_modules and shows the ten most frequent. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const output = '.millrace/demo';
const pattern = 'node_modules/**/*.md';

rmSync(join(root, output), { recursive: true, force: true });
const args = ['run', 'examples/word-count.ts', '-i', pattern, '-o', output];
console.log(`$ npx millrace ${args.map((arg) => (arg === pattern ? `'${arg}'` : arg)).join(' ')}`);
const node = join(root, 'node_modules/.bin/node');
const done = spawnSync(node, ['dist/cli/main.js', ...args], { cwd: root, stdio: 'inherit' });
if (done.status !== 0) process.exit(done.status ?? 1);

const counts = readdirSync(join(root, output))
  .filter((name) => name.startsWith('part-r-'))
  .flatMap((name) => readFileSync(join(root, output, name), 'utf8').split('\n'))
  .filter((line) => line !== '')
  .map((line) => line.split('\t'))
  .map(([word, count]) => ({ word, count: Number(count) }))
  .sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1));

console.log(`\nThe ten most frequent of ${counts.length} words:\n`);
for (const { word, count } of counts.slice(0, 10)) console.log(`${String(count).padStart(8)}  ${word}`);
console.log(`
All of them are in ${output}/part-r-*. Next:

  npx millrace run examples/grep.ts -i 'docs/**/*.md' --param pattern=worker
  npx millrace dev --workers 3             # a cluster on this machine; submit to it from another terminal
  less examples/word-count.ts              # the job you just ran; write your own beside it
`);
