/**
 * The story of each job, beside its spec in the store: `jobs/<id>/events/<n>.jsonl` while it runs, `outcome.json` when it has ended. For
 * people and programs that look on: no decision rests on it, so a store that fails delays it and never the job.
 */
import pLimit from 'p-limit';
import type { Clock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import type { JobId } from '../lib/ids.ts';
import { collectBytes } from '../lib/iterables.ts';
import type { JobEvent, JobEventLine } from '../lib/job-event.ts';
import { isTerminal, type JobView } from '../lib/job-view.ts';
import { limits } from '../lib/limits.ts';
import type { Log } from '../lib/log.ts';
import type { Stores } from '../lib/store/resolve.ts';

const flushIntervalMs = 3_000;
const jobsAtOnce = 8;
/** What an ended job could not write after so many tries, about a minute, is given up. */
const triesAfterEndMax = 20;
/** Numbers taken by somebody else between two looks at what is there. */
const numberTriesMax = 10;

export interface JobEventLogPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly stores: Stores;
  /** Of the coordinator's store, with a trailing slash. */
  readonly storeUri: string;
  /** The job as its clients see it. */
  view(jobId: JobId): JobView | undefined;
}

/** What of one job is not in the store yet. */
interface Waiting {
  /** Number of the next object. */
  next: number;
  /** Being written: stays as it is until it is there, so that a try whose answer was lost is known again. */
  batch: Buffer | undefined;
  lines: string[];
  chars: number;
  dropped: number;
  /** Set when the job has ended, until it is written. */
  outcome: Buffer | undefined;
  triesAfterEnd: number;
}

export class JobEventLog {
  readonly #ports: JobEventLogPorts;
  readonly #jobs = new Map<JobId, Waiting>();
  readonly #limit = pLimit(jobsAtOnce);
  #waitingChars = 0;
  #flushing: Promise<void> = Promise.resolve();
  #cancelTimer: (() => void) | undefined;
  #isClosed = false;

  constructor(ports: JobEventLogPorts) {
    this.#ports = ports;
  }

  /** Takes the event; it is written within seconds, at the job's end at once. Never throws. */
  record(event: JobEvent): void {
    const waiting = this.#waitingOf(event.jobId);
    this.#add(waiting, event);
    if (event.type === 'job-state' && isTerminal(event.state)) {
      const view = this.#ports.view(event.jobId);
      waiting.outcome = Buffer.from(`${JSON.stringify(view ?? event, null, 2)}\n`);
      void this.flush();
    } else if (waiting.chars >= limits.eventBatchCharsMax && waiting.batch === undefined) {
      void this.flush();
    }
    this.#startTimer();
  }

  /** Resolves when all that waited has been tried once. Never rejects. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#writeAll());
    return this.#flushing;
  }

  /** Writes what waits, if the store lets it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    await this.flush();
  }

  #waitingOf(jobId: JobId): Waiting {
    let waiting = this.#jobs.get(jobId);
    if (!waiting) {
      waiting = {
        next: 1,
        batch: undefined,
        lines: [],
        chars: 0,
        dropped: 0,
        outcome: undefined,
        triesAfterEnd: 0,
      };
      this.#jobs.set(jobId, waiting);
    }
    return waiting;
  }

  /** While the store is away memory is bounded: then only what happens to whole jobs is kept, and how much is missing. */
  #add(waiting: Waiting, event: JobEvent): void {
    const isFull = this.#waitingChars >= limits.eventsWaitingCharsMax;
    if (isFull && event.type !== 'job-state' && event.type !== 'job-planned') {
      waiting.dropped++;
      return;
    }
    if (waiting.dropped > 0) {
      const { atMs, jobId } = event;
      this.#push(waiting, { atMs, jobId, type: 'events-dropped', events: waiting.dropped });
      waiting.dropped = 0;
    }
    this.#push(waiting, event);
  }

  #push(waiting: Waiting, event: JobEventLine): void {
    const line = `${JSON.stringify(event)}\n`;
    waiting.lines.push(line);
    waiting.chars += line.length;
    this.#waitingChars += line.length;
  }

  #startTimer(): void {
    if (this.#isClosed) return;
    this.#cancelTimer ??= this.#ports.clock.after(flushIntervalMs, () => {
      this.#cancelTimer = undefined;
      void this.flush().then(() => {
        if ([...this.#jobs.values()].some(hasWork)) this.#startTimer();
      });
    });
  }

  async #writeAll(): Promise<void> {
    const jobs = [...this.#jobs].filter(([, waiting]) => hasWork(waiting));
    await Promise.all(jobs.map(([jobId, waiting]) => this.#limit(() => this.#writeJob(jobId, waiting))));
  }

  async #writeJob(jobId: JobId, waiting: Waiting): Promise<void> {
    const folder = `${this.#ports.storeUri}jobs/${jobId}/`;
    try {
      for (;;) {
        waiting.batch ??= this.#takeBatch(waiting);
        if (!waiting.batch) break;
        await this.#putBatch(`${folder}events/`, waiting, waiting.batch);
        waiting.batch = undefined;
      }
      if (waiting.outcome) {
        const { store, key } = this.#ports.stores.locate(`${folder}outcome.json`);
        await store.putIfAbsent(key, waiting.outcome);
        waiting.outcome = undefined;
      }
      if (this.#isOver(jobId) && !hasWork(waiting)) this.#jobs.delete(jobId);
    } catch (error) {
      this.#failed(jobId, waiting, error);
    }
  }

  /** Attempts of a job may end after it. */
  #isOver(jobId: JobId): boolean {
    const view = this.#ports.view(jobId);
    return !view || isTerminal(view.state);
  }

  #takeBatch(waiting: Waiting): Buffer | undefined {
    let chars = 0;
    let count = 0;
    while (count < waiting.lines.length && chars < limits.eventBatchCharsMax) {
      chars += waiting.lines[count++]!.length;
    }
    if (count === 0) return undefined;
    waiting.chars -= chars;
    this.#waitingChars -= chars;
    return Buffer.from(waiting.lines.splice(0, count).join(''));
  }

  /** A number that is taken is that of an earlier try of this batch, or of a coordinator before this one. */
  async #putBatch(folderUri: string, waiting: Waiting, batch: Buffer): Promise<void> {
    const { store, key: prefix } = this.#ports.stores.locate(folderUri);
    for (let tries = 0; tries < numberTriesMax; tries++) {
      const key = `${prefix}${batchName(waiting.next)}`;
      const isOurs =
        (await store.putIfAbsent(key, batch)) || (await collectBytes(store.read(key))).equals(batch);
      waiting.next++;
      if (isOurs) return;
      for await (const object of store.list(prefix)) {
        const number = Number.parseInt(object.key.slice(prefix.length), 10);
        if (number >= waiting.next) waiting.next = number + 1;
      }
    }
    throw new MillraceError('wrong-state', `somebody else writes events to ${folderUri}`);
  }

  #failed(jobId: JobId, waiting: Waiting, error: unknown): void {
    const { log } = this.#ports;
    const { message } = MillraceError.from(error, 'store-failed');
    if (this.#isOver(jobId) && ++waiting.triesAfterEnd >= triesAfterEndMax) {
      this.#waitingChars -= waiting.chars;
      this.#jobs.delete(jobId);
      log.error(
        { job: jobId, error: message },
        'the events of an ended job could not be stored and are lost',
      );
      return;
    }
    log.warn({ job: jobId, error: message }, 'events of a job could not be stored; trying again');
  }
}

function hasWork(waiting: Waiting): boolean {
  return waiting.batch !== undefined || waiting.lines.length > 0 || waiting.outcome !== undefined;
}

function batchName(number: number): string {
  return `${String(number).padStart(6, '0')}.jsonl`;
}
