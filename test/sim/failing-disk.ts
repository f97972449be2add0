/** For the time of one simulation the disks of its workers are in memory, and fail: below the real writers and readers of files. */
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { type FaultKind, simulatedBy } from './faults.ts';
import { fileError, type OpenFile } from './memory-files.ts';
import type { World } from './world.ts';

/** Descriptors of files in memory: no process has as many real ones. */
const firstDescriptor = 1_000_000;
const causes = { ENOSPC: 'no space left on device', EIO: 'i/o error' } as const;

/** For files below `world.directory`; those elsewhere are real. Returns what undoes it. */
export function failingDisk(world: World): () => void {
  const disk = new FailingDisk(world);
  const { directory } = world;
  const isOurs = (first: unknown) =>
    typeof first === 'number'
      ? first >= firstDescriptor
      : typeof first === 'string' && (first === directory || first.startsWith(`${directory}/`));
  const undoSync = replaceAll(fs, disk.callsThatWait, isOurs);
  const undoPromises = replaceAll(promises, disk.calls, isOurs);
  // For those who import them by name.
  syncBuiltinESMExports();
  return () => {
    undoSync();
    undoPromises();
    syncBuiltinESMExports();
  };
}

type Call = (...args: never[]) => unknown;
type Calls = Readonly<Record<string, Call>>;

/** Each call goes where its first argument, a path or a descriptor, belongs. */
function replaceAll(module: object, calls: Calls, isOurs: (first: unknown) => boolean): () => void {
  const originals = Object.keys(calls).map((name) => [name, Reflect.get(module, name) as Call] as const);
  const replaced = originals.map(([name, original]) => {
    const call = (...args: never[]) => (isOurs(args[0]) ? calls[name]! : original)(...args);
    return [name, call] as const;
  });
  Object.assign(module, Object.fromEntries(replaced));
  return () => void Object.assign(module, Object.fromEntries(originals));
}

class FailingDisk {
  readonly #world: World;
  readonly #open = new Map<number, OpenFile>();
  #descriptors = firstDescriptor;

  constructor(world: World) {
    this.#world = world;
  }

  /** Of `node:fs`. */
  get callsThatWait(): Calls {
    const { files } = this.#world;
    return {
      existsSync: (path: string) => files.isThere(path),
      mkdirSync: (path: string) => files.makeFolder(path),
      readdirSync: (path: string, options?: { readonly withFileTypes?: boolean }) =>
        files
          .list(path)
          .map(({ name, isFolder }) =>
            options?.withFileTypes === true ? { name, isDirectory: () => isFolder } : name,
          ),
      readFileSync: (path: string) => files.read(path).toString(),
      writeFileSync: (path: string, text: string) => {
        this.#mayFailToWrite();
        files.write(path, Buffer.from(text));
      },
      renameSync: (from: string, to: string) => {
        this.#mayFailToWrite();
        files.rename(from, to);
      },
      rmSync: (path: string) => files.remove(path),
      openSync: (path: string, flags: 'r' | 'w') => {
        this.#open.set(this.#descriptors, this.#openFile(path, flags));
        return this.#descriptors++;
      },
      closeSync: (fd: number) => void this.#open.delete(fd),
      fstatSync: (fd: number) => ({ size: this.#fileOf(fd).size }),
      readSync: (fd: number, target: Uint8Array, start: number, length: number, position: number) =>
        this.#read(this.#fileOf(fd), target, start, length, position),
      writeSync: (fd: number, source: Uint8Array, start: number, length: number) =>
        this.#write(this.#fileOf(fd), source, start, length),
    };
  }

  /** Of `node:fs/promises`. */
  get calls(): Calls {
    const { files } = this.#world;
    return {
      mkdir: async (path: string) => files.makeFolder(path),
      rm: async (path: string) => files.remove(path),
      open: async (path: string, flags: 'r' | 'w') => this.#handle(this.#openFile(path, flags)),
    };
  }

  #handle(file: OpenFile) {
    const close = async () => undefined;
    return {
      read: async (target: Uint8Array, start: number, length: number, position: number) => ({
        bytesRead: this.#read(file, target, start, length, position),
      }),
      write: async (source: Uint8Array, start: number, length: number, position: number) => ({
        bytesWritten: this.#write(file, source, start, length, position),
      }),
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  #openFile(path: string, flags: 'r' | 'w'): OpenFile {
    if (flags === 'w') {
      this.#mayFailToWrite();
      // Spills, fetched segments, the file of a map.
      this.#world.count(`written: ${basename(path).replace(/\d+/g, 'N')}`);
    }
    return this.#world.files.open(path, flags);
  }

  #fileOf(fd: number): OpenFile {
    const file = this.#open.get(fd);
    if (!file) throw fileError('EBADF', 'bad file descriptor');
    return file;
  }

  #read(file: OpenFile, target: Uint8Array, start: number, length: number, position: number): number {
    if (this.#world.faults.strikes('disk read fails')) this.#fail('disk read fails', 'EIO');
    return file.read(target, start, length, position);
  }

  #write(file: OpenFile, source: Uint8Array, start: number, length: number, position?: number): number {
    this.#mayFailToWrite();
    file.write(source, start, length, position);
    return length;
  }

  #mayFailToWrite(): void {
    const { faults, random } = this.#world;
    if (faults.strikes('disk write fails'))
      this.#fail('disk write fails', random.pick(['ENOSPC', 'EIO'] as const)!);
  }

  #fail(kind: FaultKind, code: keyof typeof causes): never {
    throw fileError(code, `${causes[code]} (${simulatedBy(kind)})`);
  }
}
