/**
 * The long form of the partitions: every scenario, several times, and a table. `npm run test:partitions [-- [--tls] RUNS [WORD…]]`, by default 5 runs, of
 * those scenarios whose names have all the words. What went wrong leaves the logs of all programs in `.millrace/partitions/`. Exit code 1 then.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { summary } from '../../bench/statistics.ts';
import { type Minio, startMinio } from '../minio/start-minio.ts';
import { ChaosCluster } from './chaos-cluster.ts';
import { runScenario, runUndisturbed, type ScenarioOutcome } from './run-scenario.ts';
import { heartbeatTimeoutMs, leaseMs, type Scenario, scenarios } from './scenarios.ts';

const { values, positionals } = parseArgs({
  options: { tls: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const { tls } = values;
const workers = 3;
const logs = join(import.meta.dirname, '../../.millrace/partitions');

interface Row {
  readonly scenario: Scenario;
  readonly outcomes: readonly ScenarioOutcome[];
  readonly undisturbedSeconds: number;
  readonly failures: readonly string[];
}

/** All runs of one scenario on one cluster; a new one after each that went wrong. */
async function runOften(minio: Minio, scenario: Scenario, runs: number): Promise<Row> {
  const outcomes: ScenarioOutcome[] = [];
  const failures: string[] = [];
  let undisturbedSeconds = Number.NaN;
  for (let run = 0; run < runs; ) {
    await using cluster = await ChaosCluster.start(minio, { workers, leaseMs, heartbeatTimeoutMs, tls });
    const undisturbed = await runUndisturbed(cluster, 'undisturbed');
    undisturbedSeconds = undisturbed.seconds;
    try {
      for (; run < runs; run++)
        outcomes.push(await runScenario(cluster, scenario, `run-${run}`, undisturbed.parts));
    } catch (error) {
      failures.push(`run ${run}: ${error}`);
      keepLogs(cluster, `${scenarios.indexOf(scenario) + 1}-run-${run}`, String(error));
      run++;
    }
  }
  return { scenario, outcomes, undisturbedSeconds, failures };
}

function keepLogs(cluster: ChaosCluster, name: string, error: string): void {
  const folder = join(logs, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'error.txt'), `${error}\n`);
  for (const program of cluster.programs) writeFileSync(join(folder, `${program.name}.log`), program.log);
}

function print({ scenario, outcomes, undisturbedSeconds, failures }: Row, runs: number): void {
  const seconds = summary(outcomes.map((each) => each.seconds));
  const after = summary(outcomes.map((each) => each.secondsAfter));
  const cells = [
    `${scenario.name} (${scenario.when})`,
    `${outcomes.length}/${runs}`,
    `${seconds.median.toFixed(1)} (${seconds.max.toFixed(1)})`,
    undisturbedSeconds.toFixed(1),
    `${after.median.toFixed(1)} (${after.max.toFixed(1)})`,
    outcomes.map((each) => each.mapsAgain).join(' '),
    outcomes.map((each) => each.reducesAgain).join(' '),
    `${outcomes.filter((each) => each.hasNewLeader).length}`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
  for (const failure of failures) console.log(`FAILED: ${scenario.name}: ${failure}`);
}

const [runsWanted = '5', ...wordsWanted] = positionals;
const runs = Number(runsWanted);
const chosen = scenarios.filter(({ name }) => wordsWanted.every((word) => name.includes(word)));
await using minio = await startMinio();
console.log(
  `2 coordinators (lease ${leaseMs} ms), ${workers} workers (lease ${heartbeatTimeoutMs} ms), MinIO${tls ? ', mutual TLS' : ''}`,
);
console.log(
  '| cut off | right | seconds: median (most) | undisturbed | after healing | maps again | reduces again | new leader |',
);
console.log('|---|---|---|---|---|---|---|---|');
let failed = 0;
for (const scenario of chosen) {
  const row = await runOften(minio, scenario, runs);
  print(row, runs);
  failed += row.failures.length;
}
console.log(`${chosen.length} scenarios x ${runs}: ${failed} of ${chosen.length * runs} wrong or stuck`);
if (failed > 0 || chosen.length === 0 || !(runs >= 1)) process.exitCode = 1;
