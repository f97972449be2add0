/** What this process uses, for heartbeats. */
import { totalmem } from 'node:os';
import type { Clock } from '../../lib/clock.ts';
import type { WorkerUsage } from '../../lib/reports.ts';

type ProcessUsage = Pick<WorkerUsage, 'rssBytes' | 'memoryBytesMax' | 'cpuFraction'>;

export class UsageMeter {
  readonly #clock: Clock;
  #cpuMicros: number;
  #atMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#cpuMicros = cpuMicros();
    this.#atMs = clock.monotonicMs();
  }

  /** CPU is that of the whole process since the last call, 1 for one busy core. */
  read(): ProcessUsage {
    const micros = cpuMicros();
    const nowMs = this.#clock.monotonicMs();
    const elapsedMs = Math.max(1, nowMs - this.#atMs);
    const cpuFraction = (micros - this.#cpuMicros) / 1000 / elapsedMs;
    this.#cpuMicros = micros;
    this.#atMs = nowMs;
    return {
      rssBytes: process.memoryUsage.rss(),
      memoryBytesMax: memoryBytesMax(),
      cpuFraction,
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
