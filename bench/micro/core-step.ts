/** No-op map tasks through step(), coordinator side only: 20,000 maps on 10 workers of 8 slots, for 8 reduces. */
import type { Effect } from '../../coordinator/core/effects.ts';
import type { Event } from '../../coordinator/core/events.ts';
import { createState } from '../../coordinator/core/state.ts';
import { step } from '../../coordinator/core/step.ts';
import type { AttemptId, JobId, WorkerId } from '../../lib/ids.ts';
import type { JobSpec, SegmentCounts, Split } from '../../lib/job-spec.ts';
import { cpuOf, measureStages, type Rate } from './rate.ts';

const maps = 20_000;
const workers = 10;
const slots = 8;
const reducers = 8;
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

export function coreStep(): Promise<Rate[]> {
  return measureStages('no-op maps', maps, 'tasks/s', () => {
    const core = new BenchCore();
    return { plan: cpuOf(() => core.plan()), report: cpuOf(() => core.reportAll()) };
  });
}

class BenchCore {
  readonly #state = createState();
  readonly #assigned: { worker: WorkerId; attempt: AttemptId }[] = [];

  plan(): void {
    for (let at = 0; at < workers; at++) this.#join(at);
    this.#send({ type: 'job-submitted', now: 0, spec });
    this.#send({ type: 'splits-listed', now: 0, jobId, splits: new Array<Split>(maps).fill(split) });
  }

  /** Each assigned map is done at once, which frees a slot for the next. */
  reportAll(): void {
    let now = 0;
    for (let next = this.#assigned.shift(); next; next = this.#assigned.shift()) {
      const report = {
        inputRecords: 1,
        inputBytes: 1000,
        segments,
        part: undefined,
        spills: 0,
        spillBytes: 0,
      };
      const { worker, attempt } = next;
      this.#send({
        type: 'attempt-reported',
        now: now++ >> 4,
        workerId: worker,
        report: { attempt, outcome: { kind: 'map-done', report }, counters: { seen: 1 } },
      });
    }
    if (now !== maps) throw new Error(`${now} of ${maps} maps were run`);
  }

  #join(at: number): void {
    const worker = {
      workerId: `w${at}` as WorkerId,
      host: `h${at}`,
      fetchAddress: `h${at}:1`,
      slots,
      pid: at,
      softwareVersion: '',
      draining: false,
    };
    this.#send({ type: 'worker-joined', now: 0, worker, running: [], held: [], replaces: [], jobs: [] });
  }

  #send(event: Event): void {
    for (const effect of step(this.#state, event).effects) this.#take(effect);
  }

  #take(effect: Effect): void {
    if (effect.type !== 'send-assignment' || effect.attempt.kind !== 'map') return;
    this.#assigned.push({ worker: effect.workerId, attempt: effect.attempt });
  }
}
