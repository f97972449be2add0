/**
 * The main thread's end of one slot thread: starts it, gives it one task at a time, watches its progress, and names its death. A task
 * that makes no progress for its timeout, or ignores a cancel, loses its thread.
 */
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { assertNever } from '../../lib/assert.ts';
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import type { Clock } from '../../lib/clock.ts';
import { formatAttempt, type JobId } from '../../lib/ids.ts';
import type { OpenPart } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import type { S3Access } from '../../lib/store/s3/s3-access.ts';
import { formatDurationMs } from '../../lib/units.ts';
import { hardHeapMegabytes, outOfMemory } from './heap-guard.ts';
import { watchHeap } from './heap-watch.ts';
import { createSharedProgress, type Progress, progressSum } from './progress.ts';
import type { TaskEnd } from './run-task.ts';
import { serveS3Access } from './s3-access-channel.ts';
import type { FromSlot, SlotData, SlotTask, ToSlot } from './slot-messages.ts';

/** How long a cancelled task may clean up before its thread is stopped. */
const cancelGraceMs = 2_000;
/** How long the store may take over a part that a cancelled task has begun: its last request may begin when the patience ends. */
const openingGraceMs = limits.s3PatienceMs + limits.s3SocketTimeoutMs;
/** The timeout is looked at this many times in its length, so a task is stopped at most a quarter late. */
const looksPerTimeout = 4;

export interface SlotSettings {
  /** The JavaScript heap of the thread (`--slot-memory`). */
  readonly memoryBytesMax: number;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asked for the thread, whose environment has no credentials. */
  readonly s3: S3Access;
}

/** Told what a running task says, until it has ended. */
export interface TaskListener {
  onLog(atMs: number, text: string): void;
  onPartOpened(part: OpenPart): void;
}

export interface SlotRun {
  readonly progress: Progress;
  readonly ended: Promise<TaskEnd>;
  /** Asks the task to stop; after a grace its thread is, unless the store is about to begin a part for it: then it may answer first. */
  cancel(reason: string): void;
}

interface Current {
  readonly task: SlotTask;
  readonly end: (end: TaskEnd) => void;
  readonly stopTimers: () => void;
  readonly listener: TaskListener;
  /** Parts that the store was asked for and has not given yet. */
  partsOpening: number;
  /** What waits for the last of them. */
  onNoneOpening: () => void;
}

const entry = join(import.meta.dirname, `slot-thread${import.meta.filename.endsWith('.ts') ? '.ts' : '.js'}`);

export class Slot {
  #jobId: JobId | undefined;
  readonly #settings: SlotSettings;
  readonly #worker: Worker;
  #current: Current | undefined;
  #isDead = false;

  constructor(settings: SlotSettings) {
    this.#settings = settings;
    this.#worker = new Worker(entry, {
      env: { ...settings.env },
      execArgv: ['--no-warnings'],
      // Standard output belongs to this process; what a job writes there goes to its log (slot-thread.ts).
      stdout: true,
      stderr: true,
      workerData: { memoryBytesMax: settings.memoryBytesMax } satisfies SlotData,
      resourceLimits: { maxOldGenerationSizeMb: hardHeapMegabytes(settings.memoryBytesMax) },
    });
    const { port1, port2 } = new MessageChannel();
    serveS3Access(settings.s3, port1);
    this.#worker.postMessage({ type: 'start', s3: port2 } satisfies ToSlot, [port2]);
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#worker.on('message', (message: FromSlot) => this.#receive(message));
    this.#worker.on('error', (error) => this.#died(this.#deathOf(error)));
    this.#worker.on('exit', (code) =>
      this.#died({ kind: 'internal', message: `the thread of the task ended with code ${code}` }),
    );
  }

  /** The only job whose code this thread has loaded, if any: another job's never shares its globals. */
  get jobId(): JobId | undefined {
    return this.#jobId;
  }

  /** Takes no task any more. */
  get isDead(): boolean {
    return this.#isDead;
  }

  run(task: SlotTask, listener: TaskListener): SlotRun {
    this.#jobId = task.attempt.jobId;
    const progress = createSharedProgress();
    const { promise: ended, resolve } = Promise.withResolvers<TaskEnd>();
    const stopWatch = this.#watch(task, progress);
    const { memoryBytesMax } = this.#settings;
    const stopHeapWatch = watchHeap(this.#worker, memoryBytesMax, () =>
      this.#stop(outOfMemory(memoryBytesMax).failure),
    );
    const stopTimers = () => {
      stopWatch();
      stopHeapWatch();
    };
    this.#current = {
      task,
      end: resolve,
      stopTimers,
      listener,
      partsOpening: 0,
      onNoneOpening: () => undefined,
    };
    const message: ToSlot = { type: 'run', task, progress: progress.buffer };
    this.#worker.postMessage(message);
    return { progress, ended, cancel: (reason) => this.#cancel(task, reason) };
  }

  async close(): Promise<void> {
    this.#died({ kind: 'cancelled', message: 'the worker is closing' });
    await this.#worker.terminate();
  }

  #cancel(task: SlotTask, reason: string): void {
    if (this.#current?.task !== task) return;
    const message: ToSlot = { type: 'cancel', reason };
    this.#worker.postMessage(message);
    const stop = () => {
      if (this.#current?.task === task) this.#stop({ kind: 'cancelled', message: reason });
    };
    this.#settings.clock.after(cancelGraceMs, () => {
      const current = this.#current;
      if (current?.task !== task || current.partsOpening === 0) return stop();
      // Stopped now, what the store then begins would be known to nobody.
      current.onNoneOpening = stop;
      this.#settings.clock.after(openingGraceMs, stop);
    });
  }

  /** Stops the task when nothing in its progress changes for its whole timeout. */
  #watch(task: SlotTask, progress: Progress): () => void {
    const { clock } = this.#settings;
    const timeoutMs = task.spec.taskTimeoutMs;
    let seen = progressSum(progress);
    let seenAtMs = clock.monotonicMs();
    const look = () => {
      const sum = progressSum(progress);
      const nowMs = clock.monotonicMs();
      if (sum !== seen) {
        seen = sum;
        seenAtMs = nowMs;
      }
      if (nowMs - seenAtMs >= timeoutMs) this.#stop(timeoutFailure(task, nowMs - seenAtMs));
      else cancel = clock.after(Math.max(1, timeoutMs / looksPerTimeout), look);
    };
    let cancel = clock.after(Math.max(1, timeoutMs / looksPerTimeout), look);
    return () => cancel();
  }

  #receive(message: FromSlot): void {
    const current = this.#current;
    if (!current) return;
    switch (message.type) {
      case 'log':
        return current.listener.onLog(message.atMs, message.text);
      case 'part-opening':
        current.partsOpening++;
        return;
      case 'part-opened':
        current.partsOpening--;
        current.listener.onPartOpened(message.part);
        if (current.partsOpening === 0) current.onNoneOpening();
        return;
      case 'ended':
        if (message.tainted) this.#retire();
        return this.#finish(message);
      default:
        return assertNever(message, 'message of a slot thread');
    }
  }

  #retire(): void {
    this.#isDead = true;
    void this.#worker.terminate();
  }

  #finish(end: TaskEnd): void {
    const current = this.#current;
    this.#current = undefined;
    current?.stopTimers();
    current?.end({ end: end.end, counters: end.counters, profile: end.profile });
  }

  #stop(failure: AttemptFailure): void {
    this.#died(failure);
    void this.#worker.terminate();
  }

  #died(failure: AttemptFailure): void {
    this.#isDead = true;
    this.#finish({ end: { kind: 'failed', failure }, counters: {} });
  }

  #deathOf(error: Error & { code?: string }): AttemptFailure {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') return outOfMemory(this.#settings.memoryBytesMax).failure;
    return { kind: 'internal', message: error.stack ?? error.message };
  }
}

function timeoutFailure(task: SlotTask, idleMs: number): AttemptFailure {
  const limit = formatDurationMs(task.spec.taskTimeoutMs);
  return {
    kind: 'timeout',
    message: `task ${formatAttempt(task.attempt)} read, wrote and reported nothing for ${limit} and was stopped; allow more with --task-timeout`,
    idleMs: Math.round(idleMs),
  };
}
