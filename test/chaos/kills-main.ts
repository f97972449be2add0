/**
 * What deaths cost. `npm run test:kills [-- RUNS [SIZE]]`: each kill of a program on a small job, and then a sort of SIZE on nine workers of a fifth of a
 * processor each, one of which (11 %) dies and is started again at once, as in the paper; beside the same with its disk lost, and without a kill; by
 * default 3 runs and 400MB. Medians. As root, for the limits.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from '../../bench/generate.ts';
import { summary } from '../../bench/statistics.ts';
import { parseBytes } from '../../lib/units.ts';
import { readParts } from '../e2e/cluster.ts';
import { startMinio } from '../minio/start-minio.ts';
import { kills, runKill } from './kills.ts';
import { type Disk, SortCluster, type SortRun } from './sort-cluster.ts';

const sortShape = { workers: 9, coresEach: 0.2, maps: 36, reducers: 9 };
/** Of "MapReduce: Simplified Data Processing on Large Clusters": 200 of 1746 workers killed minutes into the sort. */
const paperPercent = 5;

async function printKills(runs: number): Promise<void> {
  await using minio = await startMinio();
  console.log(
    '| killed | runs | seconds | undisturbed | done and running then | maps again | reduces again | |',
  );
  console.log('|---|---|---|---|---|---|---|---|');
  for (const kill of kills) {
    const outcomes = [];
    for (let run = 0; run < runs; run++) outcomes.push(await runKill(minio, kill));
    const cells = [
      kill.name,
      String(runs),
      summary(outcomes.map(({ seconds }) => seconds)).median.toFixed(1),
      summary(outcomes.map(({ undisturbedSeconds }) => undisturbedSeconds)).median.toFixed(1),
      outcomes.map(({ mapsDone, mapsRunning }) => `${mapsDone}+${mapsRunning}`).join(' '),
      outcomes.map(({ mapsAgain }) => mapsAgain).join(' '),
      outcomes.map(({ reducesAgain }) => reducesAgain).join(' '),
      outcomes.map(({ note }) => note).join('; '),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

async function printSort(runs: number, bytes: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-kills-'));
  try {
    const input = join(folder, 'records');
    generate('records', bytes, input);
    await using cluster = await SortCluster.start(sortShape);
    const sorts = new Map<Disk | undefined, SortRun[]>([
      [undefined, []],
      ['disk kept', []],
      ['disk lost', []],
    ]);
    for (let run = 0; run < runs; run++) {
      for (const [kill, made] of sorts) made.push(await cluster.sort(input, kill));
      assertSame([...sorts.values()].map((made) => made.at(-1)!));
    }
    console.log(
      `sort of ${bytes / 1e6} MB on ${sortShape.workers} workers of ${sortShape.coresEach} cores, interleaved, same bytes; the paper: ${paperPercent} % more`,
    );
    const without = secondsOf(sorts.get(undefined)!).median;
    for (const [kill, made] of sorts)
      printSorts(kill ? `one worker killed, ${kill}` : 'undisturbed', made, without);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function secondsOf(runs: readonly SortRun[]) {
  return summary(runs.map(({ seconds }) => seconds));
}

function printSorts(what: string, runs: readonly SortRun[], withoutSeconds: number): void {
  const { median, min, max } = secondsOf(runs);
  const added = (median / withoutSeconds - 1) * 100;
  const reruns = runs.map(({ view }) => view.map.reruns).join(' ');
  console.log(
    `${what}: ${median.toFixed(1)} s (${min.toFixed(1)} to ${max.toFixed(1)}), ${added.toFixed(0)} % more; map reruns ${reruns} of ${sortShape.maps}`,
  );
}

function assertSame(runs: readonly SortRun[]): void {
  const digests = new Set(runs.map(digestOf));
  if (digests.size > 1) throw new Error(`${runs.map(({ output }) => output).join(', ')} differ`);
  for (const { output } of runs) rmSync(output, { recursive: true });
}

function digestOf({ output }: SortRun): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(readParts(output))) hash.update(readFileSync(join(output, name)));
  return hash.digest('hex');
}

const [runs = '3', size = '400MB'] = process.argv.slice(2);
await printKills(Number(runs));
await printSort(Number(runs), parseBytes(size, 'SIZE'));
