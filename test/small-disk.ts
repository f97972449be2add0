/** A real file system that is soon full. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** Mounted at a new folder, gone at the end of its scope. Undefined where file systems cannot be mounted; that is said loudly. */
export function mountSmallDisk(path: string, bytes: number): Disposable | undefined {
  mkdirSync(path, { recursive: true });
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]);
  if (status === 0) {
    return {
      [Symbol.dispose]() {
        spawnSync('umount', ['-l', path]);
      },
    };
  }
  console.warn(`NOT TESTED on a full disk: mount says ${stderr?.toString().trim() || 'nothing'}`);
  return undefined;
}
