/** What this process uses, for heartbeats. */
import { totalmem } from 'node:os';
import type { Clock } from '../../lib/clock.ts';
import { type AttemptId, attemptKey, type JobId } from '../../lib/ids.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import type { WorkerUsage } from '../../lib/reports.ts';

export class UsageMeter {
  readonly #clock: Clock;
  readonly #outputBytes = new Map<string, { readonly jobId: JobId; readonly bytes: number }>();
  #cpuMicros: number;
  #atMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#cpuMicros = cpuMicros();
    this.#atMs = clock.monotonicMs();
  }

  addSegments(attempt: AttemptId, segments: readonly SegmentCounts[]): void {
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    this.#outputBytes.set(attemptKey(attempt), { jobId: attempt.jobId, bytes });
  }

  dropAttempt(attempt: AttemptId): void {
    this.#outputBytes.delete(attemptKey(attempt));
  }

  dropJob(jobId: JobId): void {
    for (const [key, output] of this.#outputBytes) if (output.jobId === jobId) this.#outputBytes.delete(key);
  }

  dropAll(): void {
    this.#outputBytes.clear();
  }

  /** CPU is that of the whole process since the last call, 1 for one busy core. Scratch counts the map outputs held. */
  read(): WorkerUsage {
    const micros = cpuMicros();
    const nowMs = this.#clock.monotonicMs();
    const elapsedMs = Math.max(1, nowMs - this.#atMs);
    const cpuFraction = (micros - this.#cpuMicros) / 1000 / elapsedMs;
    this.#cpuMicros = micros;
    this.#atMs = nowMs;
    let scratchBytes = 0;
    for (const { bytes } of this.#outputBytes.values()) scratchBytes += bytes;
    return {
      rssBytes: process.memoryUsage.rss(),
      memoryBytesMax: memoryBytesMax(),
      cpuFraction,
      scratchBytes,
      scratchBytesMax: 0,
    };
  }
}

/** Of the container when it has a limit: without one Node says 0, or more than there is. */
function memoryBytesMax(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
