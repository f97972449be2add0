/**
 * Tasks that do nothing, through a real coordinator on one core with its journal in a folder: from the first assignment to the last answer, over real
 * gRPC sessions of workers that answer at once, on another core. Says also what a task costs in memory, and how long the event loop stood still.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { noCredentials } from '../../lib/security/credentials.ts';
import { fileUri } from '../../lib/store/uri.ts';
import { connectWith } from '../../sdk/client.ts';
import type { Findings, Result } from '../result.ts';
import type {
  CoordinatorPlan,
  CoordinatorUse,
  MapsAnswered,
  WorkersOrder,
  WorkersPlan,
} from './coordinator-tasks/messages.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { Forked } from './forked.ts';

const name = 'coordinator-tasks';
const maps = 50_000;
const reducers = 4;
const workers = 32;
const slotsEach = 16;
const jobFile = join(import.meta.dirname, '../../examples/word-count.ts');

export const coordinatorTasks: Experiment = {
  name,
  title: 'No-op tasks through the coordinator on one core',
  expectedSeconds: (runs) => 10 + 15 * runs,
  whyNot: () =>
    existsSync('/usr/bin/taskset') && availableParallelism() > 1
      ? undefined
      : 'needs taskset and two cores, to give the coordinator one',
  run,
};

async function run({ runs, folder, say }: ExperimentContext): Promise<Findings> {
  const rates: number[] = [];
  const uses: CoordinatorUse[] = [];
  const input = join(folder, 'input');
  writeFileSync(input, 'x\n'.repeat(maps));
  for (let round = 0; round < runs; round++) {
    const { ms, use } = await runRound(folder, input, round);
    rates.push((maps / ms) * 1000);
    uses.push(use);
    say(
      `${name}: ${Math.round(rates.at(-1)!)} tasks/s, ${Math.round(use.heapBytes / maps)} bytes of heap each`,
    );
  }
  const of = { group: name, subject: 'millrace', parameters: { maps, reducers, workers, slotsEach } };
  const lower = { ...of, better: 'lower' } as const;
  const results: Result[] = [
    { ...of, better: 'higher', metric: 'tasks', unit: 'tasks/s', samples: rates },
    { ...lower, metric: 'heap per task', unit: 'bytes', samples: uses.map((use) => use.heapBytes / maps) },
    { ...lower, metric: 'coordinator', unit: 'CPU s', samples: uses.map((use) => use.cpuSeconds) },
    {
      ...lower,
      metric: 'event loop late, p99',
      unit: 's',
      samples: uses.map((use) => use.stallP99Ms / 1000),
    },
    {
      ...lower,
      metric: 'event loop late, most',
      unit: 's',
      samples: uses.map((use) => use.stallMsMax / 1000),
    },
  ];
  return {
    results,
    series: [],
    figures: [{ figure: 'coordinator/tasks', of: '', samples: rates }],
    omissions: [],
  };
}

interface Round {
  readonly ms: number;
  /** `heapBytes`: what the tasks added. */
  readonly use: CoordinatorUse;
}

async function runRound(folder: string, input: string, round: number): Promise<Round> {
  const plan: CoordinatorPlan = { storeUri: fileUri(`${folder}/store-${round}/`) };
  await using coordinating = forkOnCore(0, 'coordinator-end.ts', plan);
  const coordinator = await coordinating.next<string>();
  const workersPlan: WorkersPlan = { coordinator, workers, slotsEach, reducers };
  await using working = forkOnCore(1, 'workers-end.ts', workersPlan);
  await working.next();
  await using client = connectWith(noCredentials, coordinator);
  const before = await coordinating.ask<CoordinatorUse>({});
  const order: WorkersOrder = { maps };
  await working.ask(order);
  const answered = working.next<MapsAnswered>();
  await client.submit(jobFile, { input, output: `${folder}/out-${round}`, maps, reducers });
  const { ms } = await answered;
  const use = await coordinating.ask<CoordinatorUse>({});
  return { ms, use: { ...use, heapBytes: use.heapBytes - before.heapBytes } };
}

function forkOnCore(core: number, file: string, plan: unknown): Forked {
  const command = ['/usr/bin/taskset', '--cpu-list', String(core)];
  return new Forked(join(import.meta.dirname, 'coordinator-tasks', file), plan, command);
}
