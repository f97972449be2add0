/** From the last accepted part to COMPLETED: audit, decide, publish; publishing is repeated while the store may recover. */
import type { JobAudit } from '../../lib/success-manifest.ts';
import { acceptedBadParts, stopOverBudget } from './bad-records.ts';
import type { Commit } from './effects.ts';
import { acceptedParts, cancelAttempts, endJob, stopJob, unsureOf } from './ending.ts';
import type { EventOf } from './events.ts';
import { showState } from './job-events.ts';
import { keepMapOutputs } from './map-outputs.ts';
import { discardedParts } from './parts.ts';
import type { Job } from './state.ts';
import { tellJob } from './story.ts';
import { settleReruns } from './tasks.ts';
import { say, type Turn } from './turn.ts';

/** Begins to commit once every part of the output is accepted. */
export function commitWhenDone(turn: Turn, job: Job): void {
  const { done, total } = job.spec.reducers === 0 ? job.map : job.reduce;
  if (job.phase.name !== 'working' || done < total) return;
  // What they made is still to be heard: the sums and counters are theirs as well.
  if (job.restored && job.restored.mapsUnheard > 0) return;
  if (stopOverBudget(turn, job)) return;
  const audit = auditOf(job);
  const mismatch = audit && mismatchIn(audit);
  if (mismatch !== undefined) {
    const cause = { code: 'corrupt', message: mismatch, task: null, failure: null };
    return stopJob(turn, job, { state: 'FAILED', cause });
  }
  showState(turn, job, 'COMMITTING');
  // Backups that lost, and reruns that nobody needs any more.
  cancelAttempts(turn, job, 'the output is complete');
  settleReruns(job);
  keepMapOutputs(turn, job);
  job.digests = undefined;
  job.phase = { name: 'committing', commit: commitOf(job, audit), failures: 0, retryAtMs: undefined };
  const { commit } = job.phase;
  turn.persist.push({ type: 'job-committing', at: turn.now, jobId: job.spec.jobId, commit });
  tellJob(turn.state, job, 'commits');
  publish(turn, job, commit);
}

/** I2: records and bytes mapped, fetched and reduced are the same; otherwise a sentence with both numbers. */
function mismatchIn({ mapped, fetched, reduced }: JobAudit): string | undefined {
  for (const what of ['records', 'bytes', 'crc32'] as const) {
    if (mapped[what] === fetched[what]) continue;
    return `the audit failed: maps made ${mapped[what]} ${what}, reduces fetched ${fetched[what]}; nothing is published`;
  }
  for (const what of ['records', 'bytes'] as const) {
    if (fetched[what] === reduced[what]) continue;
    return `the audit failed: reduces fetched ${fetched[what]} ${what} and reduced ${reduced[what]}; nothing is published`;
  }
  return undefined;
}

/** Undefined for a map-only job. */
function auditOf({ spec, map, reduce }: Job): JobAudit | undefined {
  if (spec.reducers === 0) return undefined;
  const reduced = { records: 0, bytes: 0 };
  for (const { accepted } of reduce.tasks) {
    reduced.records += accepted?.reduced?.records ?? 0;
    reduced.bytes += accepted?.reduced?.bytes ?? 0;
  }
  return { mapped: map.counts, fetched: reduce.counts, reduced };
}

export function publish(turn: Turn, { spec }: Job, commit: Commit): void {
  turn.effects.push({ type: 'publish-output', spec, ...commit });
  turn.changed.add(spec.jobId);
}

function commitOf(job: Job, audit: JobAudit | undefined): Commit {
  const bad = acceptedBadParts(job);
  const consumed = job.reduce.tasks.map(({ accepted }) => accepted!.counts);
  return {
    parts: acceptedParts(job),
    discards: discardedParts(job),
    ...unsureOf(job),
    success: {
      inputRecords: job.map.inputRecords,
      inputBytes: job.map.inputBytes,
      intermediateRecords: job.map.counts.records,
      intermediateBytes: job.map.counts.bytes,
      counters: Object.fromEntries(job.counters),
      ...(bad.length > 0 && { bad }),
      ...(audit && { audit, consumed }),
      ...(job.differences.length > 0 && { differences: [...job.differences] }),
    },
  };
}

export function outputPublished(turn: Turn, { jobId }: EventOf<'output-published'>): void {
  const job = turn.state.jobs.get(jobId);
  if (job?.phase.name === 'committing') endJob(turn, job, 'COMPLETED', null);
}

export function publishFailed(turn: Turn, { jobId, error }: EventOf<'publish-failed'>): void {
  const job = turn.state.jobs.get(jobId);
  if (job?.phase.name !== 'committing') return;
  const { publishRetriesMax, publishRetryMs } = turn.state.config;
  const failures = job.phase.failures + 1;
  if (!error.retryable || failures > publishRetriesMax) {
    const message = `publishing the output failed ${failures} times, last: ${error.message}`;
    const cause = { code: error.code, message, task: null, failure: null };
    return stopJob(turn, job, { state: 'FAILED', cause });
  }
  const delayMs = publishRetryMs * 2 ** (failures - 1);
  job.phase = { ...job.phase, failures, retryAtMs: turn.now + delayMs };
  tellJob(turn.state, job, 'publish failed', error.message);
  say(turn, 'warn', { job }, `publishing failed and is tried again in ${delayMs / 1000} s: ${error.message}`);
}

/** On every tick. */
export function retryPublishing(turn: Turn): void {
  for (const job of turn.state.activeJobs) {
    if (job.phase.name !== 'committing' || job.phase.retryAtMs === undefined) continue;
    if (job.phase.retryAtMs > turn.now) continue;
    job.phase = { ...job.phase, retryAtMs: undefined };
    publish(turn, job, job.phase.commit);
  }
}
