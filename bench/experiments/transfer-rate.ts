/**
 * The paper's figure 3 for our sort: how many bytes a second are read by maps, fetched by reduces and written by them, over the time of the job. From the
 * events of the job: the bytes of an attempt are spread evenly over the time it took for them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptSums, JobEventLine } from '../../lib/job-event.ts';
import { until } from '../../test/until.ts';
import { type Findings, nothingFound, type Series } from '../result.ts';
import { jobs, wallTimes, whyNoLimits } from './cluster-findings.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { LimitedCluster, type Work } from './limited-cluster.ts';

const name = 'transfer-rate';
const workers = 8;
const coresEach = 0.2;
const bytes = 800_000_000;
const shape = { maps: 96, reducers: 32 };
const kinds = ['input', 'shuffle', 'output'] as const;

/** Bytes that went somewhere between two times. */
export interface Transfer {
  readonly kind: (typeof kinds)[number];
  readonly fromMs: number;
  readonly toMs: number;
  readonly bytes: number;
}

export const transferRate: Experiment = {
  name,
  title: 'Data transfer rate over time for the sort',
  expectedSeconds: () => 60,
  whyNot: whyNoLimits,
  run,
};

async function run({ input, say }: ExperimentContext): Promise<Findings> {
  await using cluster = await LimitedCluster.start({ workers, coresEach });
  const { job, kind } = jobs.sort;
  const work: Work = { job, input: [input(kind, bytes)], ...shape };
  const done = await cluster.run(work);
  const events = await readEvents(join(cluster.store, 'jobs', done.view.jobId));
  const startMs = done.view.submittedAtMs;
  const series = seriesOf(transfersOf(events), startMs, startMs + done.seconds * 1000);
  for (const { name: line, points } of series)
    say(`sort, ${line}, MB/s by the second: ${points.map(([, y]) => y.toFixed(0)).join(' ')}`);
  const parameters = { workers, coresEach, bytes, ...shape };
  const runs = new Map([['8 workers', [done]]]);
  return { ...nothingFound, results: wallTimes({ group: name, of: 'sort', parameters, runs }), series };
}

/** Complete once the outcome is there. */
async function readEvents(folder: string): Promise<JobEventLine[]> {
  await until('the outcome is in the store', () => existsSync(join(folder, 'outcome.json')));
  const files = readdirSync(join(folder, 'events')).sort();
  const lines = files.flatMap((file) => readFileSync(join(folder, 'events', file), 'utf8').split('\n'));
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JobEventLine);
}

export function transfersOf(events: readonly JobEventLine[]): Transfer[] {
  return events.flatMap((event) => {
    if (event.type !== 'attempt-ended' || event.outcome !== 'done' || !event.sums) return [];
    const span = { fromMs: event.atMs - event.durationMs, toMs: event.atMs };
    if (event.task.startsWith('m')) return [{ kind: 'input', ...span, bytes: event.sums.inputBytes }];
    return event.task.startsWith('r') ? reduceTransfers(span, event.sums) : [];
  });
}

/** It fetches first, then it reads what it has and writes. */
function reduceTransfers(
  { fromMs, toMs }: Pick<Transfer, 'fromMs' | 'toMs'>,
  { inputBytes, outputBytes, fetchMs }: AttemptSums,
): Transfer[] {
  const fetchedMs = Math.min(toMs, fromMs + fetchMs);
  return [
    { kind: 'shuffle', fromMs, toMs: fetchedMs, bytes: inputBytes },
    { kind: 'output', fromMs: fetchedMs, toMs, bytes: outputBytes },
  ];
}

export function seriesOf(transfers: readonly Transfer[], startMs: number, endMs: number): Series[] {
  const seconds = Math.ceil((endMs - startMs) / 1000);
  return kinds.map((kind) => {
    const ofKind = transfers.filter((transfer) => transfer.kind === kind);
    const points = Array.from({ length: seconds }, (_, second): [number, number] => {
      const fromMs = startMs + second * 1000;
      const sum = ofKind.reduce((all, transfer) => all + bytesWithin(transfer, fromMs, fromMs + 1000), 0);
      return [second + 0.5, sum / 1e6];
    });
    return { group: name, plot: 'data transfer rate', name: kind, xUnit: 's', yUnit: 'MB/s', points };
  });
}

function bytesWithin(transfer: Transfer, fromMs: number, toMs: number): number {
  const lengthMs = Math.max(1, transfer.toMs - transfer.fromMs);
  const insideMs = Math.min(toMs, transfer.fromMs + lengthMs) - Math.max(fromMs, transfer.fromMs);
  return insideMs > 0 ? (transfer.bytes * insideMs) / lengthMs : 0;
}
