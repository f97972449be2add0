/**
 * What one coordinator decides, event by event: no worker is given up that was heard, no map runs again for nothing (what it costs), whoever
 * fetches hears of what is gone, and map outputs stay where they are needed (I17).
 */
import { runningAttempts } from '../../coordinator/core/attempts.ts';
import type { Effect } from '../../coordinator/core/effects.ts';
import type { Event, EventOf } from '../../coordinator/core/events.ts';
import type { CoreState, Job, Task } from '../../coordinator/core/state.ts';
import {
  type AttemptId,
  attemptKey,
  formatTask,
  type JobId,
  sameAttempt,
  type WorkerId,
} from '../../lib/ids.ts';
import { indexUri } from '../../lib/map-copy.ts';
import { parseUri } from '../../lib/store/uri.ts';
import type { World } from './world.ts';

interface MapBefore {
  readonly holder: WorkerId | undefined;
  readonly status: Task['status'];
}

export class StepChecker {
  readonly #world: World;
  /** When each live worker was last heard, by the coordinator's clock. */
  readonly #heardMs = new Map<WorkerId, number>();
  #workersBefore: readonly { readonly id: WorkerId; readonly drained: boolean }[] = [];
  #mapsBefore = new Map<JobId, readonly MapBefore[]>();
  /** Reports that an output is unreachable, by attemptKey. */
  readonly #unreachable = new Map<string, number>();
  /** Who must be told what is gone, by `worker job map`: the tick at which it was lost. */
  readonly #untold = new Map<string, number>();
  #ticks = 0;
  /** By job: how many lines of its story are counted. */
  readonly #storyLines = new Map<JobId, number>();
  /** Who was to be waited for after the replay, until when. */
  #awaited: { readonly workers: ReadonlySet<WorkerId>; readonly untilMs: number } | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  stepping(state: CoreState, event: Event): void {
    if (event.type === 'worker-heartbeat') return;
    this.#workersBefore = [...state.workers.values()].map(({ id, drained }) => ({ id, drained }));
    this.#mapsBefore = new Map();
    for (const { spec, phase, map } of state.activeJobs) {
      if (phase.name !== 'working' || spec.reducers === 0) continue;
      const maps = map.tasks.map(({ holder, status }) => ({ holder: holder?.id, status }));
      this.#mapsBefore.set(spec.jobId, maps);
    }
  }

  /** `event`: as it happened, whatever a mutant made of it. */
  stepped(state: CoreState, event: Event): void {
    this.#countDecisions(state);
    if (event.type === 'fetch-troubled') this.#world.count(`fetch: ${event.trouble.cause}`);
    const { recovery } = state;
    if (event.type === 'journal-replayed' && recovery)
      this.#awaited = { workers: new Set(recovery.awaited), untilMs: recovery.untilMs };
    if (event.type === 'worker-joined') this.#heardMs.set(event.worker.workerId, state.now);
    if (event.type === 'worker-heartbeat') {
      this.#heardMs.set(event.workerId, state.now);
      return;
    }
    for (const { id } of this.#workersBefore) if (!state.workers.has(id)) this.#checkLoss(state, event, id);
    if (event.type === 'fetch-troubled') this.#countUnreachable(state, event);
    for (const [jobId, before] of this.#mapsBefore) {
      const job = state.jobs.get(jobId);
      if (job?.phase.name === 'working') this.#checkMaps(state, event, job, before);
    }
    if (event.type !== 'tick') return;
    this.#ticks++;
    this.#checkHolders(state);
    this.#checkCopies(state);
    for (const [what, tick] of this.#untold)
      if (this.#ticks - tick >= 2) this.#fail(`${what} is gone, and who fetches it was not told (I14)`);
  }

  /** Each branch of the core that decides says so in the story of its job. */
  #countDecisions({ jobs }: CoreState): void {
    for (const { story, spec } of jobs.values()) {
      const from = this.#storyLines.get(spec.jobId) ?? 0;
      for (const { what } of story.slice(from)) this.#world.count(`core: ${what.replace(/\d+/, 'N')}`);
      this.#storyLines.set(spec.jobId, story.length);
    }
  }

  performing(effect: Effect, state: CoreState): void {
    if (effect.type === 'send-assignment') this.#checkAwaited(effect.attempt, state);
    if (effect.type !== 'send-locations') return;
    for (const map of [...effect.lost, ...effect.found.map((one) => one.map)])
      this.#untold.delete(`${effect.workerId} ${effect.jobId} m${map}`);
  }

  /** Until the leases of workers that were live would have run out, nothing is made again that one of them still has. */
  #checkAwaited({ jobId, kind, index }: AttemptId, { now, jobs }: CoreState): void {
    const awaited = this.#awaited;
    const job = jobs.get(jobId);
    if (kind !== 'map' || !job?.restored || !awaited || now >= awaited.untilMs) return;
    const map = job.map.tasks[index];
    // A backup is no rerun: what it is a backup of may end at any time.
    if (map && runningAttempts(map).length > 1) return;
    if ((map?.trouble?.condemned ?? 0) > 0 || this.#mayFilesBeDamaged) return;
    for (const worker of this.#world.workers.values()) {
      if (!worker.isAlive || !worker.workerId || !awaited.workers.has(worker.workerId)) continue;
      if (worker.outputs.list().some((id) => id.jobId === jobId && id.index === index))
        this.#fail(
          `${jobId} m${index} runs again, and ${worker.name} has had no time to say that it has it (cost)`,
        );
    }
  }

  get #mayFilesBeDamaged(): boolean {
    const { struck } = this.#world.faults;
    return struck.has('run file damaged') || struck.has('run file gone');
  }

  #fail(message: string): void {
    this.#world.checker.fail(message);
  }

  #checkLoss(state: CoreState, event: Event, id: WorkerId): void {
    const isReplaced =
      event.type === 'worker-joined' &&
      (event.worker.workerId === id || event.replaces.includes(id) || this.#hasDiedWhere(event, id));
    const hasLeft = event.type === 'worker-left' && event.workerId === id;
    const silentMs = state.now - (this.#heardMs.get(id) ?? 0);
    const isSilent = event.type === 'tick' && silentMs >= state.config.heartbeatTimeoutMs;
    if (!isReplaced && !hasLeft && !isSilent)
      this.#fail(`${id} is given up at a ${event.type}, heard ${silentMs} ms ago`);
  }

  /** The next life of its host says hello, and it is really dead. */
  #hasDiedWhere({ worker }: EventOf<'worker-joined'>, id: WorkerId): boolean {
    const hostOf = (workerId: WorkerId) => workerId.replace(/-\d+$/, '');
    const living = [...this.#world.workers.values()].filter(({ isAlive }) => isAlive);
    return hostOf(worker.workerId) === hostOf(id) && living.every(({ workerId }) => workerId !== id);
  }

  #countUnreachable({ jobs }: CoreState, { trouble }: EventOf<'fetch-troubled'>): void {
    const { attempt, map, mapAttempt, cause } = trouble;
    const accepted = jobs.get(attempt.jobId)?.map.tasks[map]?.accepted;
    if (cause !== 'unreachable' || accepted?.id.attempt !== mapAttempt) return;
    const key = attemptKey(accepted.id);
    this.#unreachable.set(key, (this.#unreachable.get(key) ?? 0) + 1);
  }

  #checkMaps(state: CoreState, event: Event, job: Job, before: readonly MapBefore[]): void {
    for (const [index, { holder, status }] of before.entries()) {
      const map = job.map.tasks[index];
      if (!map) continue;
      const name = `${job.spec.jobId} m${index}`;
      const isLost = holder !== undefined && !map.holder;
      if (isLost) {
        if (state.workers.has(holder) && !this.#isCondemned(state, event, job, map))
          this.#fail(`${name} is given up at a ${event.type}, although ${holder} holds it (cost)`);
        for (const workerId of job.subscribers.keys())
          this.#untold.set(`${workerId} ${job.spec.jobId} m${index}`, this.#ticks);
      }
      if (event.type === 'worker-joined' && !map.holder && isBrought(event, map))
        this.#fail(`${event.worker.workerId} brings ${name}, and it is not taken (cost)`);
      if (status !== 'done' || map.status === 'done') continue;
      if (!isNeeded(job, map)) this.#fail(`${name} runs again, and nobody needs it (cost)`);
      if (isLost && event.type === 'worker-left' && !this.#wasDrained(holder))
        this.#fail(`${holder} left before it was told to, and ${name} runs again (cost)`);
    }
  }

  #wasDrained(id: WorkerId): boolean {
    return this.#workersBefore.some((one) => one.id === id && one.drained);
  }

  /** By what was really said of this output. */
  #isCondemned({ config }: CoreState, event: Event, { spec }: Job, map: Task): boolean {
    if (event.type === 'fetch-troubled') {
      const { trouble } = event;
      if (trouble.attempt.jobId !== spec.jobId || trouble.map !== map.index) return false;
      const times = this.#unreachable.get(attemptKey(map.accepted!.id)) ?? 0;
      return trouble.cause !== 'unreachable' || times >= config.unreachableReportsMax;
    }
    if (event.type !== 'attempt-reported') return false;
    const { attempt, outcome } = event.report;
    if (attempt.jobId !== spec.jobId || outcome.kind !== 'failed') return false;
    return outcome.failure.kind === 'corrupt-segment' && outcome.failure.map === map.index;
  }

  /** Of what is on the books as copied the index is there: it is written last, and goes with its job. */
  #checkCopies(state: CoreState): void {
    if (!this.#world.checker.leads(state.config.epoch)) return;
    for (const { spec, phase, map } of state.activeJobs) {
      if (phase.name !== 'working') continue;
      for (const { index, copied, accepted } of map.tasks) {
        if (!copied || !accepted) continue;
        this.#world.count('copy: on the books');
        const { key } = parseUri(indexUri(spec, accepted.id));
        if (!this.#world.disk.madeAtMs.has(key))
          this.#fail(`${spec.jobId} m${index} is on the books as copied, and there is no ${key}`);
      }
    }
  }

  /** A live worker has what the coordinator that leads says it holds. */
  #checkHolders(state: CoreState): void {
    if (!this.#world.checker.leads(state.config.epoch)) return;
    for (const { spec, phase, map } of state.activeJobs) {
      if (phase.name !== 'working') continue;
      for (const task of map.tasks) {
        const worker = this.#world.workers.get(task.holder?.id.split('-')[0] ?? '');
        if (!worker?.isAlive || worker.workerId !== task.holder?.id) continue;
        const { index, attempt, epoch } = task.accepted!.id;
        const isKept = worker.outputs
          .list()
          .some(
            (id) =>
              id.jobId === spec.jobId && id.index === index && id.attempt === attempt && id.epoch === epoch,
          );
        if (!isKept) this.#fail(`${worker.name} has not kept ${spec.jobId} ${formatTask(task)} (I17)`);
      }
    }
  }
}

/** This very output, of which nothing bad was said. */
function isBrought({ held }: EventOf<'worker-joined'>, { accepted, trouble }: Task): boolean {
  return (
    accepted !== undefined &&
    (trouble?.condemned ?? 0) === 0 &&
    held.some((id) => sameAttempt(id, accepted.id))
  );
}

/** Some reduce has yet to fetch it. */
function isNeeded({ reduce }: Job, { index }: Task): boolean {
  return reduce.tasks.some(
    (task) =>
      task.status === 'idle' ||
      runningAttempts(task).some(({ fetch }) => !fetch?.complete && !fetch?.fetched.has(index)),
  );
}
