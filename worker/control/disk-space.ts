/** How much the disk of the scratch folder has, and how much of it this worker leaves alone. */
import { mkdir, statfs } from 'node:fs/promises';
import { MillraceError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';

export interface DiskSpace {
  readonly totalBytes: number;
  /** For this process: without what is kept for root. */
  readonly freeBytes: number;
}

export async function readDiskSpace(directory: string): Promise<DiskSpace> {
  const { bsize, blocks, bavail } = await statfs(directory);
  return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
}

/** So that this worker alone never fills a disk that others need. On one that is small or full already it leaves half of what is free. */
export function reserveBytesOf({ totalBytes, freeBytes }: DiskSpace): number {
  const wanted = Math.max(limits.scratchReserveBytesMin, totalBytes * limits.scratchReserveFraction);
  return Math.floor(Math.min(wanted, freeBytes / 2));
}

/** Throws `no-space` or `permission-denied` naming the folder and `--dir`. */
export async function makeScratchFolder(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (thrown) {
    throw notWritable(directory, thrown);
  }
}

export function notWritable(directory: string, thrown: unknown): MillraceError {
  const { code, message } = MillraceError.from(thrown, 'permission-denied');
  return new MillraceError(
    code === 'no-space' ? code : 'permission-denied',
    `the scratch folder ${directory} cannot be written (${message}); choose another with --dir`,
    { cause: thrown },
  );
}
