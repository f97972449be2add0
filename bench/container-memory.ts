/** The memory of a container, read on its host from the files of its control group, version 1 or 2. Linux only. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ContainerMemory {
  /** Highest so far, with the page cache of its files, which the kernel takes back when there is need. */
  readonly peakBytes: number;
  /** Of its processes alone, now. */
  readonly anonymousBytes: number;
  readonly limitBytes: number;
  readonly outOfMemoryKills: number;
}

interface Files {
  readonly peak: string;
  readonly limit: string;
  /** The name of the line in `memory.stat`. */
  readonly anonymous: string;
  /** Has a line `oom_kill N`. */
  readonly events: string;
}

const version1: Files = {
  peak: 'memory.max_usage_in_bytes',
  limit: 'memory.limit_in_bytes',
  anonymous: 'total_rss',
  events: 'memory.oom_control',
};
const version2: Files = {
  peak: 'memory.peak',
  limit: 'memory.max',
  anonymous: 'anon',
  events: 'memory.events',
};

/** The folder of the control group of a process. Throws when the process is gone. */
export function memoryFolder(pid: number): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  const ofMemory = lines.map((line) => line.split(':')).find(([, controllers]) => controllers === 'memory');
  if (ofMemory) return join('/sys/fs/cgroup/memory', ofMemory[2] ?? '');
  return join('/sys/fs/cgroup', lines.find((line) => line.startsWith('0::'))?.slice(3) ?? '');
}

export function readContainerMemory(folder: string): ContainerMemory {
  const files = existsSync(join(folder, version1.peak)) ? version1 : version2;
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const lineOf = (name: string, key: string) =>
    Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(read(name))?.[1] ?? Number.NaN);
  return {
    peakBytes: Number(read(files.peak)),
    anonymousBytes: lineOf('memory.stat', files.anonymous),
    limitBytes: Number(read(files.limit)),
    outOfMemoryKills: lineOf(files.events, 'oom_kill'),
  };
}
