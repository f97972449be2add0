/** No-op map tasks through step(), coordinator side only. `node bench/micro/core-step.ts [MAPS] [WORKERS] [REDUCERS]` */
import type { Effect } from '../../coordinator/core/effects.ts';
import type { Event } from '../../coordinator/core/events.ts';
import { createState } from '../../coordinator/core/state.ts';
import { step } from '../../coordinator/core/step.ts';
import type { AttemptId, JobId, WorkerId } from '../../lib/ids.ts';
import type { JobSpec, SegmentCounts, Split } from '../../lib/job-spec.ts';

const [maps = 20_000, workers = 10, reducers = 8] = process.argv.slice(2).map(Number);
const slots = 8;
const jobId = 'bench' as JobId;

const spec: JobSpec = {
  jobId,
  name: 'bench',
  bundle: { uri: 'mem:///bundle', sha256: '', bytes: 0 },
  input: { kind: 'lines' },
  output: { kind: 'tsv', compression: 'none' },
  inputPatterns: [],
  outputUri: 'mem:///out/',
  ifExists: 'fail',
  params: {},
  reducers,
  partition: 'hash',
  splitBytes: 1,
  maps: undefined,
  priority: 0,
  attemptsMax: 4,
  taskTimeoutMs: 1,
  partOffset: 0,
  submittedAtMs: 0,
};
const split: Split = { pieces: [], bytes: 1000, hosts: [] };
const segments: SegmentCounts[] = Array.from({ length: reducers }, () => ({
  records: 1,
  bytes: 10,
  crc32: 1,
}));

const state = createState();
const assigned: { worker: WorkerId; attempt: AttemptId }[] = [];
let effects = 0;
let now = 0;

function send(event: Event): void {
  for (const effect of step(state, event).effects) take(effect);
}

function take(effect: Effect): void {
  effects++;
  if (effect.type !== 'send-assignment' || effect.attempt.kind !== 'map') return;
  assigned.push({ worker: effect.workerId, attempt: effect.attempt });
}

for (let at = 0; at < workers; at++) {
  const workerId = `w${at}` as WorkerId;
  const worker = {
    workerId,
    host: `h${at}`,
    fetchAddress: `h${at}:1`,
    slots,
    pid: at,
    softwareVersion: '',
    draining: false,
  };
  send({ type: 'worker-joined', now, worker, running: [], held: [], replaces: [], jobs: [] });
}
send({ type: 'job-submitted', now, spec });
const planMs = timed(() => {
  send({ type: 'splits-listed', now, jobId, splits: new Array<Split>(maps).fill(split) });
});

let steps = 0;
let longestMs = 0;
const mapMs = timed(() => {
  for (let next = assigned.shift(); next; next = assigned.shift()) {
    const report = { inputRecords: 1, inputBytes: 1000, segments, part: undefined, spills: 0, spillBytes: 0 };
    const { worker, attempt } = next;
    const event: Event = {
      type: 'attempt-reported',
      now: now++ >> 4,
      workerId: worker,
      report: { attempt, outcome: { kind: 'map-done', report }, counters: { seen: 1 } },
    };
    longestMs = Math.max(
      longestMs,
      timed(() => send(event)),
    );
    steps++;
  }
});

if (steps !== maps) throw new Error(`${steps} of ${maps} maps were run`);
console.log(
  `${maps} maps, ${workers} workers x ${slots} slots, ${reducers} reduces: planned in ${planMs.toFixed(1)} ms; ` +
    `${Math.round((steps / mapMs) * 1000)} maps/s, ${effects} effects, longest step ${longestMs.toFixed(1)} ms`,
);

function timed(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}
