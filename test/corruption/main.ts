/**
 * `npm run test:corruption -- [--injections N] [--seed N] [--target NAME] [--only I]` damages what Millrace writes and sends, N times in all, and
 * prints where it was noticed; exit code 1 when anything was accepted in silence. `--target` takes one place, `--only` one injection of it.
 */
import { parseArgs } from 'node:util';
import { injectAll } from './inject-all.ts';
import { renderTallies } from './render-tallies.ts';

const { values } = parseArgs({
  options: {
    injections: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
    only: { type: 'string' },
  },
});

const startedMs = performance.now();
const tallies = await injectAll({
  seed: Number(values.seed),
  injections: Number(values.injections),
  target: values.target,
  only: values.only === undefined ? undefined : Number(values.only),
});
console.log(renderTallies(tallies));
const failures = tallies.flatMap((tally) => tally.failures);
for (const failure of failures) console.log(failure);
const total = tallies.reduce((sum, { injections }) => sum + injections, 0);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
console.log(`${total} injections, ${failures.length} silent acceptances, ${seconds} s`);
if (failures.length > 0 || total === 0) process.exitCode = 1;
