/**
 * The outputs of this worker's maps that the store is to have as well: a few are copied at once, by the main thread, and given up when
 * nobody needs them any more.
 */
import pLimit from 'p-limit';
import { MillraceError } from '../../lib/errors.ts';
import { type AttemptId, attemptKey, type JobId, type WorkerId } from '../../lib/ids.ts';
import type { Counters, JobSpec } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import type { Log } from '../../lib/log.ts';
import { aboutAttempt } from '../../lib/log-subject.ts';
import type { MapReport } from '../../lib/reports.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import { writeCopy } from '../shuffle/write-copy.ts';

export interface MapOutput {
  readonly spec: JobSpec;
  readonly attempt: AttemptId;
  readonly worker: WorkerId;
  /** Of the run file. */
  readonly path: string;
  readonly report: MapReport;
  readonly counters: Counters;
}

export interface MapCopiesPorts {
  readonly stores: Stores;
  readonly log: Log;
  /** It was copied in the background, and the copy is whole. */
  onCopied(output: MapOutput): void;
}

export class MapCopies {
  readonly #ports: MapCopiesPorts;
  readonly #atOnce = pLimit(limits.mapCopiesAtOnceMax);
  /** By attemptKey. */
  readonly #begun = new Map<string, { readonly attempt: AttemptId; readonly abort: AbortController }>();
  readonly #copied = new Map<string, AttemptId>();

  constructor(ports: MapCopiesPorts) {
    this.#ports = ports;
  }

  /** Resolves when the copy is whole. Throws what the store does, `corrupt` for a run file that is, and the reason of the signal. */
  async copy(output: MapOutput, signal: AbortSignal): Promise<void> {
    const { spec, path, attempt, worker, report, counters } = output;
    const { stores } = this.#ports;
    const copy = { attempt, worker, report, counters };
    await this.#atOnce(() => {
      signal.throwIfAborted();
      return writeCopy({ stores, spec, path, copy, signal });
    });
    this.#copied.set(attemptKey(attempt), attempt);
  }

  /** In the background. What fails is logged and left: the output is on the disk all the same. */
  begin(output: MapOutput): void {
    const { attempt } = output;
    const key = attemptKey(attempt);
    if (this.has(attempt)) return;
    const abort = new AbortController();
    this.#begun.set(key, { attempt, abort });
    this.copy(output, abort.signal)
      .then(
        () => this.#ports.onCopied(output),
        (thrown) => {
          if (abort.signal.aborted) return;
          const { message } = MillraceError.from(thrown);
          this.#ports.log.warn(
            aboutAttempt(attempt),
            `its output could not be copied to the store: ${message}`,
          );
        },
      )
      .finally(() => this.#begun.delete(key));
  }

  /** An earlier process of this scratch folder did. */
  remember(attempt: AttemptId): void {
    this.#copied.set(attemptKey(attempt), attempt);
  }

  /** Outputs on this disk with a whole copy. */
  list(): AttemptId[] {
    return [...this.#copied.values()];
  }

  /** It is copied, or under way. */
  has(attempt: AttemptId): boolean {
    const key = attemptKey(attempt);
    return this.#begun.has(key) || this.#copied.has(key);
  }

  /** Its output is not wanted any more. */
  forget(attempt: AttemptId): void {
    this.#forgetWhere((other) => attemptKey(other) === attemptKey(attempt));
  }

  endJob(jobId: JobId): void {
    this.#forgetWhere((attempt) => attempt.jobId === jobId);
  }

  clear(): void {
    this.#forgetWhere(() => true);
  }

  #forgetWhere(isGone: (attempt: AttemptId) => boolean): void {
    for (const [key, attempt] of this.#copied) if (isGone(attempt)) this.#copied.delete(key);
    for (const { attempt, abort } of this.#begun.values()) {
      if (isGone(attempt)) abort.abort(new MillraceError('cancelled', 'its output is not wanted any more'));
    }
  }
}
