/**
 * A worker that is to leave: it gets nothing new, finishes what it can finish, serves its map outputs while some reduce needs them,
 * and is told when that is over. It may leave before; then it is lost like any other, without blame.
 */
import { cancelAttempt, releaseTask } from './attempts.ts';
import type { EventOf } from './events.ts';
import { needsAny } from './locations.ts';
import { liftWhenAlone } from './quarantine.ts';
import type { CoreState, Worker } from './state.ts';
import { tellJob } from './story.ts';
import { say, type Turn } from './turn.ts';
import { liveWorker } from './workers.ts';

export function drainRequested(turn: Turn, { workerId, reason }: EventOf<'drain-requested'>): void {
  const worker = turn.state.workers.get(workerId);
  if (!worker)
    return say(
      turn,
      'warn',
      { worker: { id: workerId } },
      `worker ${workerId} is not there to be drained: ${reason}`,
    );
  beginDraining(turn, worker, reason);
  turn.effects.push({ type: 'send-drain', workerId });
}

export function workerDraining(turn: Turn, { workerId }: EventOf<'worker-draining'>): void {
  const worker = liveWorker(turn, workerId);
  if (worker) beginDraining(turn, worker, 'it was told to stop');
}

/** Also for one that drains already: whether it may leave is looked at again. */
export function beginDraining(turn: Turn, worker: Worker, reason: string): void {
  turn.wantsDrainCheck = true;
  const { state } = turn;
  if (worker.draining) return;
  worker.draining = true;
  state.draining.add(worker);
  state.slotsTotal -= worker.info.slots;
  say(turn, 'info', { worker }, `worker ${worker.id} drains: ${reason}`);
  giveBackFetches(turn, worker);
  liftWhenAlone(turn);
  if (state.draining.size === state.workers.size) tellThatJobsWait(turn, worker);
}

/**
 * A reduce that waits for maps to come would hold its worker for as long as they take, or for ever when nobody else is left. One of an
 * earlier coordinator may have ended, or hold all it needs, and only has not said so yet.
 */
export function giveBackFetches(turn: Turn, worker: Worker): void {
  for (const attempt of [...worker.attempts.values()]) {
    const { job, task, fetch, status } = attempt;
    if (job.restored && turn.state.recovery) continue;
    if (status !== 'running' || !fetch || fetch.complete || job.map.done === job.map.total) continue;
    cancelAttempt(turn, attempt, 'its worker drains, and maps it needs are not done');
    releaseTask(turn, job, task);
  }
}

function tellThatJobsWait(turn: Turn, worker: Worker): void {
  const cause = `worker ${worker.id} drains and no other is left: what waits runs when another worker joins`;
  for (const job of turn.state.activeJobs) {
    tellJob(turn.state, job, 'waits for a worker', cause);
    say(turn, 'warn', { job, worker }, cause);
  }
}

/**
 * At the end of a step. What a reduce still needs is looked for only on ticks and when somebody begins to drain: the answer is a walk
 * over what fetching reduces hold, and a worker may wait a second.
 */
export function releaseDrained(turn: Turn): void {
  for (const worker of turn.state.draining) {
    if (worker.drained || !worker.connected || worker.attempts.size > 0) continue;
    // It has yet to say again what it holds since before a restart.
    if (turn.state.recovery?.expected.has(worker.id)) continue;
    if (worker.outputs.size > 0 && (!turn.wantsDrainCheck || isNeeded(turn.state, worker))) continue;
    worker.drained = true;
    turn.effects.push({ type: 'send-drained', workerId: worker.id });
    say(turn, 'info', { worker }, `worker ${worker.id} is drained: nothing needs it any more`);
  }
}

function isNeeded(state: CoreState, worker: Worker): boolean {
  for (const [jobId, maps] of worker.outputs) {
    const job = state.jobs.get(jobId);
    if (job && needsAny(job, maps)) return true;
  }
  return false;
}
