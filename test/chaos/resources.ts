/** What a process and a folder take up, as the kernel says. Linux only. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Resources {
  readonly fileDescriptors: number;
  readonly threads: number;
  readonly rssBytes: number;
}

/** Throws when the process is gone. */
export function resourcesOf(pid: number): Resources {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const numberOf = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1]);
  return {
    fileDescriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: numberOf('Threads'),
    rssBytes: numberOf('VmRSS') * 1024,
  };
}

/** Of all files below it; 0 when there is no such folder. Files may go meanwhile. */
export function bytesUnder(folder: string): number {
  let bytes = 0;
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += bytesUnder(path);
    else bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw thrown;
  }
}
