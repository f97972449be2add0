/**
 * `npm run test:crash-matrix [-- --cell NAME=ACTION ...]`: the whole matrix, or some cells, in lanes beside each other. Prints each cell as it ends, the failed
 * ones in full and a summary in Markdown; exit code 1 when a cell failed. Writes nothing.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { endAll } from '../e2e/cli-process.ts';
import { startMinio } from '../minio/start-minio.ts';
import { allCells, cellName, findCells } from './cells.ts';
import { Matrix, type Oracles } from './matrix.ts';
import { failureText, lineOf, summaryOf } from './table.ts';

const { values } = parseArgs({
  options: {
    /** `NAME=ACTION`, or `NAME` or `=ACTION` for all of a point or of a fault. */
    cell: { type: 'string', multiple: true },
    /** Clusters beside each other: each is idle most of the time. */
    lanes: { type: 'string', default: '2' },
  },
});

const cells = values.cell ? values.cell.flatMap(findCells) : allCells;
const startedMs = performance.now();
await using minio = await startMinio();
let isStopping = false;
/** What ends because its cluster was taken away is no result. */
const say = (text: string) => {
  if (!isStopping) console.log(text);
};
const oracles: Oracles = new Map();
const lanes = Array.from({ length: Number(values.lanes) }, () => {
  return new Matrix(minio, { oracles, onResult: (result) => say(lineOf(result)) });
});
const waiting = [...cells];
const stop = async () => {
  isStopping = true;
  waiting.length = 0;
  for (const lane of lanes) await lane[Symbol.asyncDispose]();
  await minio[Symbol.asyncDispose]();
  await endAll();
  process.exit(130);
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
try {
  await Promise.all(
    lanes.map(async (lane) => {
      for (let cell = waiting.shift(); cell; cell = waiting.shift()) {
        await lane.run(cell).catch((error) => {
          process.exitCode = 1;
          say(`FAIL ${cellName(cell)}: it could not be run: ${String(error)}`);
        });
      }
    }),
  );
} finally {
  for (const lane of lanes) await lane[Symbol.asyncDispose]();
}
const failures = lanes.flatMap((lane) => lane.failures);
for (const failure of failures) say(`\n${failureText(failure)}`);
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const minutes = (performance.now() - startedMs) / 60_000;
const date = new Date().toISOString().slice(0, 10);
say(
  `\n${summaryOf(
    lanes.flatMap((lane) => lane.results),
    { date, commit, minutes },
  )}`,
);
if (failures.length > 0) process.exitCode = 1;
