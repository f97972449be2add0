/** Disks of workers that fail: below the real writers and readers of files, where the kernel would say so. */
import fs from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { type FaultKind, simulatedBy } from './faults.ts';
import type { World } from './world.ts';

const errors = { ENOSPC: 'no space left on device', EIO: 'i/o error' } as const;

/** For files below the folder of this simulation. Returns what makes disks well. */
export function failingDisk(world: World): () => void {
  const { openSync, closeSync, writeSync, readSync } = fs;
  const ours = new Set<number>();
  const isOurs = (path: unknown) => typeof path === 'string' && path.startsWith(world.directory);
  const fail = (kind: FaultKind, code: keyof typeof errors) => {
    const message = `${code}: ${errors[code]} (${simulatedBy(kind)})`;
    throw Object.assign(new Error(message), { code });
  };
  const mayFailToWrite = () => {
    if (!world.isByHand && world.faults.strikes('disk write fails'))
      fail('disk write fails', world.random.pick(['ENOSPC', 'EIO'])!);
  };
  const mayFailToRead = () => {
    if (!world.isByHand && world.faults.strikes('disk read fails')) fail('disk read fails', 'EIO');
  };
  const replaced = {
    openSync: (...args: Parameters<typeof openSync>) => {
      const fd = openSync(...args);
      if (isOurs(args[0])) ours.add(fd);
      return fd;
    },
    closeSync: (fd: number) => {
      ours.delete(fd);
      closeSync(fd);
    },
    writeSync: (fd: number, ...rest: unknown[]) => {
      if (ours.has(fd)) mayFailToWrite();
      return Reflect.apply(writeSync, fs, [fd, ...rest]);
    },
    readSync: (fd: number, ...rest: unknown[]) => {
      if (ours.has(fd)) mayFailToRead();
      return Reflect.apply(readSync, fs, [fd, ...rest]);
    },
  };
  const { open } = promises;
  const openHandle = async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    return isOurs(args[0]) ? failingHandle(handle, mayFailToRead, mayFailToWrite) : handle;
  };
  const originals = { openSync, closeSync, writeSync, readSync };
  const use = (sync: object, handles: unknown) => {
    Object.assign(fs, sync);
    Object.assign(promises, { open: handles });
    // For those who import them by name.
    syncBuiltinESMExports();
  };
  use(replaced, openHandle);
  return () => use(originals, open);
}

function failingHandle(handle: FileHandle, beforeRead: () => void, beforeWrite: () => void): FileHandle {
  const { read, write } = handle;
  return Object.assign(handle, {
    async read(...args: unknown[]) {
      beforeRead();
      return await Reflect.apply(read, handle, args);
    },
    async write(...args: unknown[]) {
      beforeWrite();
      return await Reflect.apply(write, handle, args);
    },
  });
}
