/** Workers come, beat, fall silent and go; what was on one that is gone finds its place again. */
import type { WorkerLossReason } from '../../lib/cluster-view.ts';
import { attemptKey, type JobId, type WorkerId } from '../../lib/ids.ts';
import type { AttemptPhase } from '../../lib/reports.ts';
import { adoptOutputs } from './adopt.ts';
import { endAttempt } from './attempts.ts';
import { beginDraining, giveBackFetches } from './drain.ts';
import type { EventOf } from './events.ts';
import { attemptLost, sentBack } from './failures.ts';
import { loseOutputs, sendSnapshot } from './locations.ts';
import { updatePlaces } from './places.ts';
import { liftWhenAlone } from './quarantine.ts';
import { workerBack } from './recovery.ts';
import { findResumable, resumeRunning } from './resume.ts';
import { takeUsage } from './scratch-room.ts';
import type { Attempt, Worker } from './state.ts';
import { isAcceptedOf } from './tasks.ts';
import { say, type Turn } from './turn.ts';

export function workerJoined(turn: Turn, event: EventOf<'worker-joined'>): void {
  const { worker: info, running, held, replaces } = event;
  for (const workerId of replaces) {
    const replaced = turn.state.workers.get(workerId);
    if (replaced) loseWorker(turn, replaced, 'restarted', `was restarted as ${info.workerId}`);
  }
  for (const gone of diedAtHome(turn, info))
    loseWorker(turn, gone, 'restarted', `was restarted as ${info.workerId}`);
  const known = turn.state.workers.get(info.workerId);
  // Another process under the same id: what the first one ran and held in memory is gone.
  if (known && known.info.pid !== info.pid)
    loseWorker(turn, known, 'replaced', 'came back as another process');
  const worker = turn.state.workers.get(info.workerId) ?? addWorker(turn, info);
  if (!worker.draining) turn.state.slotsTotal += info.slots - worker.info.slots;
  worker.info = info;
  updatePlaces(turn.state, worker);
  worker.connected = true;
  worker.drained = false;
  worker.lastHeartbeatMs = turn.now;
  workerBack(turn.state, worker, held, replaces);
  const resumed = running.filter((id) => findResumable(turn.state, id));
  const jobs = new Set(
    [...worker.attempts.values(), ...resumed.map((id) => ({ id }))].map(({ id }) => id.jobId),
  );
  turn.effects.push({ type: 'send-welcome', workerId: worker.id, jobs: [...jobs] });
  if (info.draining) beginDraining(turn, worker, 'it was told to stop');
  else if (worker.draining) turn.effects.push({ type: 'send-drain', workerId: worker.id });
  compareRunning(turn, worker, running);
  // What it brought from an earlier coordinator may wait there for ever, too.
  if (worker.draining) giveBackFetches(turn, worker);
  adoptOutputs(turn, worker, held);
  for (const jobId of event.jobs) worker.jobs.add(jobId);
  for (const jobId of worker.jobs) catchUp(turn, worker, jobId);
  turn.wantsSchedule = true;
}

/**
 * A folder has one process at a time, so whoever had it before is dead, and what it had on a disk that is empty now is lost: no need to wait
 * for its silence. One whose stream is whole is not: then two hosts have the same name.
 */
function diedAtHome({ state }: Turn, { workerId, home }: Worker['info']): Worker[] {
  if (home === undefined) return [];
  return [...state.workers.values()].filter(
    (other) => other.id !== workerId && !other.connected && other.info.home === home,
  );
}

function addWorker({ state, now, persist }: Turn, info: Worker['info']): Worker {
  persist.push({ type: 'worker-joined', at: now, workerId: info.workerId });
  const worker: Worker = {
    info,
    id: info.workerId,
    order: state.workersJoined++,
    connected: true,
    draining: false,
    drained: false,
    lastHeartbeatMs: state.now,
    usage: undefined,
    crowded: false,
    attempts: new Map(),
    slotsUsed: 0,
    fetching: 0,
    isolated: undefined,
    outputs: new Map(),
    jobs: new Set(),
    speed: 1,
    history: { expectedMs: 0, actualMs: 0 },
    lag: 1,
    heldBackAtMs: undefined,
    faults: [],
    quarantines: 0,
    quarantinedUntilMs: 0,
  };
  state.workers.set(worker.id, worker);
  state.slotsTotal += info.slots;
  return worker;
}

/** What it still runs goes on, what it no longer runs waits again, and what we do not know (or had cancelled) is cancelled. */
function compareRunning(turn: Turn, worker: Worker, running: EventOf<'worker-joined'>['running']): void {
  const stillThere = new Set(running.map(attemptKey));
  for (const attempt of [...worker.attempts.values()]) {
    if (stillThere.has(attempt.key)) continue;
    endAttempt(turn, attempt, { outcome: 'cancelled' });
    if (attempt.status === 'running') sentBack(turn, attempt, 'the worker reconnected without it');
  }
  for (const id of running) {
    if (worker.attempts.get(attemptKey(id))?.status === 'running') continue;
    // Reported and accepted, but the answer was lost: the report comes again and is answered again.
    if (isAcceptedOf(turn.state, worker, id)) continue;
    if (!worker.attempts.has(attemptKey(id)) && resumeRunning(turn, worker, id)) continue;
    turn.effects.push({
      type: 'send-cancel',
      workerId: worker.id,
      attempt: id,
      reason: 'it is not wanted any more',
    });
  }
}

/** Messages may have been lost with the stream: the end of jobs, and locations for reduces that fetch. */
function catchUp(turn: Turn, worker: Worker, jobId: JobId): void {
  const job = turn.state.jobs.get(jobId);
  if (!job || job.phase.name === 'ended') {
    turn.effects.push({ type: 'send-job-ended', workerId: worker.id, jobId });
    worker.jobs.delete(jobId);
    return;
  }
  const fetching = [...(job.subscribers.get(worker.id) ?? [])];
  if (fetching.length > 0) sendSnapshot(turn, job, worker, fetching);
}

/** The worker if it is alive; otherwise it is told to say hello again. */
export function liveWorker(turn: Turn, workerId: WorkerId): Worker | undefined {
  const worker = turn.state.workers.get(workerId);
  if (!worker) turn.effects.push({ type: 'send-rejoin', workerId });
  return worker;
}

export function workerHeartbeat(turn: Turn, event: EventOf<'worker-heartbeat'>): void {
  const worker = liveWorker(turn, event.workerId);
  if (!worker) return;
  worker.lastHeartbeatMs = turn.now;
  takeUsage(turn, worker, event.usage);
  for (const progress of event.attempts) {
    const attempt = worker.attempts.get(attemptKey(progress.attempt));
    if (attempt) progressed(turn, attempt, progress);
  }
}

function progressed(
  turn: Turn,
  attempt: Attempt,
  progress: EventOf<'worker-heartbeat'>['attempts'][number],
): void {
  const table = attempt.job[attempt.task.kind];
  table.runningRecords += progress.recordsIn - (attempt.progress?.recordsIn ?? 0);
  table.runningBytes += progress.bytesIn - (attempt.progress?.bytesIn ?? 0);
  attempt.progress = progress;
  attempt.started ||= runsUserCode(progress.phase);
  turn.changed.add(attempt.id.jobId);
}

/** Fetching is no user's doing: whoever only fetches when its worker dies is as innocent as one that waits. */
function runsUserCode(phase: AttemptPhase): boolean {
  return phase === 'sample' || phase === 'map' || phase === 'reduce';
}

export function attemptsStarted(turn: Turn, { workerId, attempts }: EventOf<'attempts-started'>): void {
  const worker = liveWorker(turn, workerId);
  for (const id of attempts) {
    const attempt = worker?.attempts.get(attemptKey(id));
    if (attempt) attempt.started = true;
  }
}

export function workerDisconnected(turn: Turn, { workerId }: EventOf<'worker-disconnected'>): void {
  const worker = turn.state.workers.get(workerId);
  if (worker) worker.connected = false;
}

export function workerLeft(turn: Turn, { workerId }: EventOf<'worker-left'>): void {
  const worker = turn.state.workers.get(workerId);
  if (worker) loseWorker(turn, worker, 'left', 'left');
}

/** On every tick. */
export function expireLeases(turn: Turn): void {
  turn.wantsDrainCheck = true;
  const { heartbeatTimeoutMs } = turn.state.config;
  const silentMs = (worker: Worker) => turn.now - worker.lastHeartbeatMs;
  const silent = [...turn.state.workers.values()].filter((worker) => silentMs(worker) >= heartbeatTimeoutMs);
  const losses = silent.map((worker) =>
    loseAttempts(turn, worker, 'silent', `was silent for ${(silentMs(worker) / 1000).toFixed(1)} s`),
  );
  // What only the dead were fetching is needed by nobody.
  for (const loss of losses) loseHeld(turn, loss);
}

function loseWorker(turn: Turn, worker: Worker, reason: WorkerLossReason, why: string): void {
  loseHeld(turn, loseAttempts(turn, worker, reason, why));
}

/** Outputs of a lost worker. */
interface Loss {
  readonly outputs: readonly (readonly [JobId, ReadonlySet<number>])[];
  readonly cause: string;
}

/** The worker is gone, and what it ran. Unless it left by itself its attempts may be why; one that ran alone is the only suspect. */
function loseAttempts(turn: Turn, worker: Worker, reason: WorkerLossReason, why: string): Loss {
  const { state } = turn;
  const died = reason !== 'left';
  turn.persist.push({ type: 'worker-gone', at: turn.now, workerId: worker.id });
  turn.effects.push({ type: 'worker-lost', reason });
  const cause = `worker ${worker.id} ${why}`;
  const suspect = worker.isolated;
  const outputs = [...worker.outputs];
  state.workers.delete(worker.id);
  updatePlaces(state, worker);
  state.recovery?.expected.delete(worker.id);
  if (worker.draining) state.draining.delete(worker);
  else state.slotsTotal -= worker.info.slots;
  say(turn, died ? 'warn' : 'info', { worker }, `${cause}; it had ${worker.attempts.size} attempts`);
  for (const attempt of [...worker.attempts.values()]) {
    attemptLost(turn, attempt, died && (!suspect || suspect === attempt), cause);
  }
  return { outputs, cause };
}

function loseHeld(turn: Turn, { outputs, cause }: Loss): void {
  for (const [jobId, maps] of outputs) {
    const job = turn.state.jobs.get(jobId);
    if (job)
      loseOutputs(
        turn,
        job,
        [...maps].sort((a, b) => a - b).map((map) => job.map.tasks[map]!),
        cause,
      );
  }
  liftWhenAlone(turn);
}
