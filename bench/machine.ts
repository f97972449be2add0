/** What a benchmark ran on. */
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { softwareVersion } from '../lib/version.ts';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly millrace: string;
}

export function thisMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    millrace: softwareVersion(),
  };
}
