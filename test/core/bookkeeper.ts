/**
 * Keeps account of what the core says over a whole walk: every part that was opened is published or dropped, never both; every attempt
 * starts once and ends once; the state of a job goes forward and ends once.
 */
import type { Commit, Effect, PersistRecord } from '../../coordinator/core/effects.ts';
import type { CoreState } from '../../coordinator/core/state.ts';
import { assert } from '../../lib/assert.ts';
import type { JobId } from '../../lib/ids.ts';
import type { JobEvent } from '../../lib/job-event.ts';
import type { OpenPart, StagedPart } from '../../lib/job-spec.ts';
import type { JobState } from '../../lib/job-view.ts';

const order: readonly JobState[] = ['SUBMITTED', 'MAPPING', 'REDUCING', 'COMMITTING'];

export class Bookkeeper {
  /** By job, then token. */
  readonly #opened = new Map<JobId, Set<string>>();
  readonly #dropped = new Map<JobId, Set<string>>();
  readonly #published = new Map<JobId, Set<string>>();
  readonly #running = new Set<string>();
  readonly #over = new Set<string>();
  readonly #states = new Map<JobId, JobState>();
  readonly #completed = new Set<JobId>();

  /** What had started and is not adopted from here on has ended unheard; names are given again, under another epoch. */
  restarted(): void {
    this.#running.clear();
    this.#over.clear();
    this.#states.clear();
  }

  persisted(record: PersistRecord): void {
    if (record.type === 'part-opened') tokensOf(this.#opened, record.attempt.jobId).add(record.part.token);
    if (record.type === 'job-ended' && record.state === 'COMPLETED') this.#completed.add(record.jobId);
  }

  performed(effect: Effect): void {
    switch (effect.type) {
      case 'publish-output':
        this.#published.set(effect.spec.jobId, new Set(publishedParts(effect).map(({ token }) => token)));
        return this.#drop(effect.spec.jobId, effect.discards);
      case 'discard-output':
        this.#published.delete(effect.spec.jobId);
        return this.#drop(effect.spec.jobId, effect.parts);
      case 'discard-part':
        // Of a job that has ended the core does not know any more what it published; dropping that is no error of a store.
        if (this.#completed.has(effect.spec.jobId) && this.#isPublished(effect)) return;
        return this.#drop(effect.spec.jobId, [effect.part]);
      case 'job-event':
        return this.#happened(effect.event);
    }
  }

  /** After any step; `state` that the core is left in. */
  check(state: CoreState): void {
    for (const [jobId, tokens] of this.#opened) {
      if (state.jobs.get(jobId)?.phase.name !== 'ended') continue;
      const published = tokensOf(this.#published, jobId);
      const dropped = tokensOf(this.#dropped, jobId);
      for (const token of tokens) {
        assert(published.has(token) !== dropped.has(token), `${jobId}: ${token} is published or dropped`);
      }
    }
    const alive = [...state.workers.values()].reduce((sum, worker) => sum + worker.attempts.size, 0);
    assert(alive === this.#running.size, `${alive} attempts alive, ${this.#running.size} said to be`);
  }

  #isPublished({ spec, part }: Extract<Effect, { type: 'discard-part' }>): boolean {
    return tokensOf(this.#published, spec.jobId).has(part.token);
  }

  #drop(jobId: JobId, parts: readonly OpenPart[]): void {
    for (const { token } of parts) tokensOf(this.#dropped, jobId).add(token);
  }

  #happened(event: JobEvent): void {
    const { jobId } = event;
    switch (event.type) {
      case 'job-state': {
        const before = this.#states.get(jobId);
        const at = before === undefined ? -1 : order.indexOf(before);
        assert(before === undefined || at >= 0, `${jobId}: nothing after ${before}`);
        const next = order.indexOf(event.state);
        assert(next < 0 || next > at, `${jobId}: ${event.state} after ${before}`);
        this.#states.set(jobId, event.state);
        return;
      }
      case 'attempt-started': {
        const name = nameOf(event);
        assert(!this.#running.has(name) && !this.#over.has(name), `${name} starts once`);
        assert(event.waitedMs >= 0, `${name} waited ${event.waitedMs} ms`);
        this.#running.add(name);
        return;
      }
      case 'attempt-adopted':
        this.#running.add(nameOf(event));
        return;
      case 'attempt-ended': {
        const name = nameOf(event);
        assert(this.#running.delete(name), `${name} ends once, after it started`);
        this.#over.add(name);
      }
    }
  }
}

function publishedParts({ parts, success }: Commit): StagedPart[] {
  return [...parts, ...(success.bad ?? []).map(({ part }) => part)];
}

function tokensOf(tokens: Map<JobId, Set<string>>, jobId: JobId): Set<string> {
  const known = tokens.get(jobId) ?? new Set();
  tokens.set(jobId, known);
  return known;
}

function nameOf({ jobId, task, attempt }: { jobId: JobId; task: string; attempt: number }): string {
  return `${jobId}/${task}.${attempt}`;
}
