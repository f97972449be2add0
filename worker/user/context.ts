/** What user functions get as their last argument, and what the task takes out of it again: counters and log lines. */
import { formatWithOptions } from 'node:util';
import { MillraceError } from '../../lib/errors.ts';
import { type AttemptId, formatTask } from '../../lib/ids.ts';
import type { Counters, ParamValue } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import type { UserContext, UserCounter } from '../../lib/user-job.ts';
import { type Progress, progressAt } from './progress.ts';

const countersMax = 1000;
const counterNameCharsMax = 128;

export interface TaskContextOptions {
  readonly attempt: AttemptId;
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Takes one line at a time, without its line end; never more than `logBytesMax` in all. */
  readonly log: (text: string) => void;
  readonly logBytesMax?: number;
  /** Called now and then between calls of user code; throws when the task holds too much memory. */
  readonly checkMemory?: () => void;
}

/** Where the mapper is; written per record, read only when user code asks for `ctx.source`. */
export interface RecordPosition {
  uri: string;
  offset: number;
}

/**
 * The UserContext of one attempt. Its functions do not use `this`, so that user code may take them apart.
 * `counter` refuses names that are empty, too long or too many.
 */
export class TaskContext implements UserContext {
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly task: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly counter: (name: string) => UserCounter;
  readonly log: (...args: unknown[]) => void;
  /** For the task, not for user code: to be called now and then. */
  readonly checkMemory: () => void;
  readonly #counters = new Map<string, { total: number; readonly face: UserCounter }>();
  #position: () => RecordPosition = () => ({ uri: '', offset: 0 });

  constructor(options: TaskContextOptions) {
    this.params = Object.freeze({ ...options.params });
    this.task = formatTask(options.attempt);
    this.attempt = options.attempt.attempt;
    this.signal = options.signal;
    this.log = createLog(options);
    this.checkMemory = options.checkMemory ?? (() => undefined);
    this.counter = (name) => this.#counter(name, options.progress);
  }

  get source(): { readonly uri: string; readonly offset: number } {
    return this.#position();
  }

  /** From now on `source` is what `position` gives when it is asked. */
  follow(position: () => RecordPosition): void {
    this.#position = position;
  }

  /** The totals so far. */
  counters(): Counters {
    return Object.fromEntries([...this.#counters].map(([name, counter]) => [name, counter.total]));
  }

  #counter(name: string, progress: Progress): UserCounter {
    const known = this.#counters.get(name);
    if (known) return known.face;
    if (typeof name !== 'string' || name === '' || name.length > counterNameCharsMax) {
      throw new MillraceError(
        'invalid-argument',
        `a counter needs a name of 1 to ${counterNameCharsMax} characters, got ${JSON.stringify(name)?.slice(0, 200)}`,
      );
    }
    if (this.#counters.size >= countersMax) {
      throw new MillraceError(
        'limit-exceeded',
        `counter ${JSON.stringify(name)} would be number ${countersMax + 1}, over the limit of ${countersMax} names per task; use fewer names`,
      );
    }
    const counter = {
      total: 0,
      face: {
        add(n: number = 1): void {
          if (!Number.isFinite(n)) {
            throw new MillraceError(
              'invalid-argument',
              `counter ${JSON.stringify(name)} cannot add ${String(n)}`,
            );
          }
          counter.total += n;
          progress[progressAt.beats]! += 1;
        },
      },
    };
    this.#counters.set(name, counter);
    return counter.face;
  }
}

/** Formats as console.log does and closes with one line when the attempt has said too much. */
function createLog(options: TaskContextOptions): (...args: unknown[]) => void {
  const bytesMax = options.logBytesMax ?? limits.logBytesPerAttemptMax;
  let bytesLeft = bytesMax;
  return (...args) => {
    options.progress[progressAt.beats]! += 1;
    if (bytesLeft <= 0) return;
    const text = formatWithOptions({ colors: false }, ...args);
    for (const line of text.split('\n')) {
      const bytes = Buffer.byteLength(line) + 1;
      if (bytes > bytesLeft) {
        bytesLeft = 0;
        options.log(`(the log of this attempt is over its limit of ${bytesMax} bytes; the rest is dropped)`);
        return;
      }
      bytesLeft -= bytes;
      options.log(line);
    }
  };
}
