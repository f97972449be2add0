/**
 * The outputs of this worker's maps that the store is to have as well: a few are copied at once, by the main thread, and given up when
 * nobody needs them any more.
 */
import pLimit from 'p-limit';
import type { Clock } from '../../lib/clock.ts';
import { type ErrorCode, MillraceError } from '../../lib/errors.ts';
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
  readonly clock: Clock;
  readonly stores: Stores;
  readonly log: Log;
  /** It was copied in the background, and the copy is whole. */
  onCopied(output: MapOutput): void;
}

const retryAfterMs = 1_000;

/** Of the run file, or the bucket: neither comes back. */
const unreadable: ReadonlySet<ErrorCode> = new Set(['corrupt', 'not-found']);

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
    // Whoever gave it up has forgotten it already.
    signal.throwIfAborted();
    this.#copied.set(attemptKey(attempt), attempt);
  }

  /** In the background, and again while the store fails. What cannot be copied is logged and left: the output is on the disk all the same. */
  begin(output: MapOutput): void {
    const { attempt } = output;
    const key = attemptKey(attempt);
    if (this.has(attempt)) return;
    const abort = new AbortController();
    this.#begun.set(key, { attempt, abort });
    this.#copyWhileWanted(output, abort.signal)
      .then(
        () => this.#ports.onCopied(output),
        (thrown) => {
          if (!abort.signal.aborted) this.#warn(attempt, 'is not copied to the store', thrown);
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

  /** A store that fails is asked again, ever less often. */
  async #copyWhileWanted(output: MapOutput, signal: AbortSignal): Promise<void> {
    for (let failures = 0; ; ) {
      try {
        return await this.copy(output, signal);
      } catch (thrown) {
        if (signal.aborted || unreadable.has(MillraceError.from(thrown).code)) throw thrown;
        if (failures++ === 0) this.#warn(output.attempt, 'is not copied to the store yet', thrown);
        await this.#pause(Math.min(retryAfterMs * 2 ** (failures - 1), limits.mapCopyRetryMsMax), signal);
      }
    }
  }

  /** Rejects with the reason of the signal. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stopClock = this.#ports.clock.after(ms, () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      const stop = () => {
        stopClock();
        reject(signal.reason);
      };
      signal.addEventListener('abort', stop);
    });
  }

  #warn(attempt: AttemptId, what: string, thrown: unknown): void {
    this.#ports.log.warn(aboutAttempt(attempt), `its output ${what}: ${MillraceError.from(thrown).message}`);
  }

  #forgetWhere(isGone: (attempt: AttemptId) => boolean): void {
    for (const [key, attempt] of this.#copied) if (isGone(attempt)) this.#copied.delete(key);
    for (const { attempt, abort } of this.#begun.values()) {
      if (isGone(attempt)) abort.abort(new MillraceError('cancelled', 'its output is not wanted any more'));
    }
  }
}
