/**
 * The coordinator's mind: one synchronous function from state and event to what must be made durable and what must be done. No
 * clock, no random, no I/O. It mutates `state`, which nobody else may. What it returns in `persist` is durable before any effect.
 */
import { assertNever } from '../../lib/assert.ts';
import { outputPublished, publishFailed, retryPublishing } from './complete.ts';
import { copiesFound, mapsCopied } from './copies.ts';
import { drainRequested, releaseDrained, workerDraining } from './drain.ts';
import type { Step } from './effects.ts';
import { cancelRequested, discardDrained, outputDiscarded } from './ending.ts';
import type { Event } from './events.ts';
import { fetchProgressed, fetchTroubled } from './fetch-troubles.ts';
import { partOpened } from './parts.ts';
import { jobSubmitted, listingFailed, splitsListed } from './plan.ts';
import { settleRecovery } from './recovery.ts';
import { attemptReported } from './reports.ts';
import { journalReplayed } from './restore.ts';
import { schedule } from './schedule.ts';
import { giveBackFromSlow } from './slow-workers.ts';
import { speculate } from './speculate.ts';
import { judgeLags } from './speed.ts';
import type { CoreState } from './state.ts';
import { beginTurn, endTurn, type Turn } from './turn.ts';
import {
  attemptsStarted,
  expireLeases,
  workerDisconnected,
  workerHeartbeat,
  workerJoined,
  workerLeft,
} from './workers.ts';

export function step(state: CoreState, event: Event): Step {
  const turn = beginTurn(state, event.now);
  handle(turn, event);
  if (state.recovery) settleRecovery(turn);
  discardDrained(turn);
  if (turn.wantsSchedule) schedule(turn);
  if (state.draining.size > 0) releaseDrained(turn);
  return endTurn(turn);
}

function handle(turn: Turn, event: Event): void {
  switch (event.type) {
    case 'journal-replayed':
      return journalReplayed(turn, event);
    case 'job-submitted':
      return jobSubmitted(turn, event);
    case 'cancel-requested':
      return cancelRequested(turn, event);
    case 'splits-listed':
      return splitsListed(turn, event);
    case 'listing-failed':
      return listingFailed(turn, event);
    case 'copies-found':
      return copiesFound(turn, event);
    case 'output-published':
      return outputPublished(turn, event);
    case 'publish-failed':
      return publishFailed(turn, event);
    case 'output-discarded':
      return outputDiscarded(turn, event);
    case 'worker-joined':
      return workerJoined(turn, event);
    case 'worker-heartbeat':
      return workerHeartbeat(turn, event);
    case 'worker-disconnected':
      return workerDisconnected(turn, event);
    case 'worker-left':
      return workerLeft(turn, event);
    case 'worker-draining':
      return workerDraining(turn, event);
    case 'drain-requested':
      return drainRequested(turn, event);
    case 'attempts-started':
      return attemptsStarted(turn, event);
    case 'part-opened':
      return partOpened(turn, event);
    case 'attempt-reported':
      return attemptReported(turn, event);
    case 'maps-copied':
      return mapsCopied(turn, event);
    case 'fetch-progressed':
      return fetchProgressed(turn, event);
    case 'fetch-troubled':
      return fetchTroubled(turn, event);
    case 'tick':
      return ticked(turn);
    default:
      return assertNever(event, 'event');
  }
}

/** Everything that falls due. Schedules always: a quarantine may have ended. */
function ticked(turn: Turn): void {
  expireLeases(turn);
  retryPublishing(turn);
  judgeLags(turn.state);
  giveBackFromSlow(turn);
  turn.wantsSchedule = true;
  speculate(turn);
}
