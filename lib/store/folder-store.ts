/**
 * The object store port over a folder: a key is a path below the root. Whole objects appear by rename or link, so a reader
 * never sees half of one. Object bytes are flushed before they become visible; a host that loses power right after `publish`
 * may lose the rename, but not without losing every later `putIfAbsent` too, which flushes the folder.
 */
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { MillraceError } from '../errors.ts';
import { failpoint } from '../failpoints.ts';
import { limits } from '../limits.ts';
import { throwIfAborted } from './abort.ts';
import { folderError, hasCode, isMissing } from './folder-errors.ts';
import { etagOf, listFolder } from './folder-list.ts';
import { openStaged, stagedPath, sweepFolder, writeAll } from './folder-staging.ts';
import { listAbandoned, temporaryBeside } from './folder-temporaries.ts';
import { checkKey, checkOwner, checkPrefix } from './key.ts';
import type { ObjectInfo, ReadOptions, StagedObject, StageWriter, Store } from './store.ts';

/** Folders that are remembered to hold no temporary file of a dead process. */
const tidyFoldersMax = 100;

export class FolderStore implements Store {
  readonly #root: string;
  readonly #tidyFolders = new Set<string>();

  /** `root` is an absolute path; it need not exist until something is written. */
  constructor(root: string) {
    if (!isAbsolute(root)) {
      throw new MillraceError('invalid-argument', `the folder of a store must be absolute, got ${root}`);
    }
    this.#root = root;
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo> {
    checkPrefix(prefix);
    yield* listFolder(this.#root, prefix, signal);
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const path = this.#pathOf(key);
    try {
      const stats = await stat(path, { bigint: true });
      return stats.isFile() ? { key, bytes: Number(stats.size), etag: etagOf(stats) } : undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw folderError('read', path, error);
    }
  }

  async *read(key: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const path = this.#pathOf(key);
    throwIfAborted(options.signal);
    let file: FileHandle | undefined;
    try {
      // Non-blocking, because opening a named pipe would wait for a writer.
      file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      yield* readRange(file, path, options);
    } catch (error) {
      throw isMissing(error)
        ? new MillraceError('not-found', `there is no file ${path}`, { cause: error })
        : folderError('read', path, error);
    } finally {
      await file?.close();
    }
  }

  async stage(key: string, owner: string): Promise<StageWriter> {
    checkKey(key);
    checkOwner(owner);
    return await openStaged(this.#root, key, owner);
  }

  async publish(staged: StagedObject): Promise<void> {
    const path = this.#pathOf(staged.key);
    const temporary = stagedPath(this.#root, staged.key, staged.token);
    try {
      failpoint('folder.publish-before');
      await checkWhole(temporary, staged.bytes);
      await rename(temporary, path);
      failpoint('folder.publish-after');
    } catch (error) {
      if (!isMissing(error)) throw folderError('publish', path, error);
      // Renamed already by an earlier try whose answer was lost; the size tells it from an older object under this name.
      if ((await this.head(staged.key))?.bytes === staged.bytes) return;
      throw new MillraceError('not-found', `cannot publish ${path}: its staged file is gone`, {
        cause: error,
      });
    }
  }

  async discard(staged: StagedObject): Promise<void> {
    checkKey(staged.key);
    await unlinkIfThere(stagedPath(this.#root, staged.key, staged.token));
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    const path = this.#pathOf(key);
    const folder = dirname(path);
    const temporary = temporaryBeside(path);
    try {
      await this.#tidy(folder);
      if (await this.head(key)) return false;
      await mkdir(folder, { recursive: true });
      await writeFlushed(temporary, bytes);
      failpoint('folder.create-written');
      if (!(await linkIfAbsent(temporary, path))) return false;
      failpoint('folder.create-linked');
      await flushFolder(folder);
      return true;
    } catch (error) {
      throw folderError('create', path, error);
    } finally {
      await unlinkIfThere(temporary);
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.#pathOf(key);
    const temporary = temporaryBeside(path);
    try {
      await this.#tidy(dirname(path));
      await mkdir(dirname(path), { recursive: true });
      await writeFlushed(temporary, bytes);
      failpoint('folder.put-written');
      await rename(temporary, path);
    } catch (error) {
      await unlinkIfThere(temporary);
      throw folderError('write', path, error);
    }
  }

  async remove(key: string): Promise<void> {
    await unlinkIfThere(this.#pathOf(key));
  }

  async sweep(prefix: string, owner: string): Promise<void> {
    checkPrefix(prefix);
    checkOwner(owner);
    await sweepFolder(this.#root, join(this.#root, prefix.slice(0, prefix.lastIndexOf('/') + 1)), owner);
  }

  /** Once for each folder: processes that share it die rarely. */
  async #tidy(folder: string): Promise<void> {
    if (this.#tidyFolders.has(folder)) return;
    for (const path of await listAbandoned(folder)) await unlinkIfThere(path);
    if (this.#tidyFolders.size >= tidyFoldersMax) this.#tidyFolders.clear();
    this.#tidyFolders.add(folder);
  }

  #pathOf(key: string): string {
    checkKey(key);
    return join(this.#root, key);
  }
}

/** Measured: asynchronous reads of 256 KiB reach 3.4 GB/s, synchronous ones 3.8; not worth blocking a thread on a slow disk. */
async function* readRange(file: FileHandle, path: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
  const opened = await file.stat({ bigint: true });
  if (!opened.isFile())
    throw new MillraceError('not-found', `there is no file ${path}: it is something else`);
  const checkUnchanged = async () => {
    if (options.etag === undefined || etagOf(await file.stat({ bigint: true })) === options.etag) return;
    throw new MillraceError('input-changed', `${path} changed since it was listed`);
  };
  await checkUnchanged();
  const end = Math.min(options.end ?? Number.MAX_SAFE_INTEGER, Number(opened.size));
  let at = options.start ?? 0;
  while (at < end) {
    throwIfAborted(options.signal);
    // A fresh buffer per chunk, because the caller may keep it; not from the shared pool, because it may transfer it.
    const buffer = Buffer.allocUnsafeSlow(Math.min(limits.readChunkBytes, end - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) {
      await checkUnchanged();
      throw new MillraceError(
        'store-failed',
        `${path} ended at byte ${at} of ${end}: it shrank while it was read`,
      );
    }
    at += bytesRead;
    if (at >= end) await checkUnchanged();
    yield bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead);
  }
}

/** Its bytes are not read again: who reads the part compares its crc32. */
async function checkWhole(path: string, bytes: number): Promise<void> {
  const { size } = await stat(path);
  if (size === bytes) return;
  throw new MillraceError(
    'corrupt',
    `${path} has ${size} bytes, ${bytes} were staged: it will not be published`,
  );
}

async function linkIfAbsent(existing: string, path: string): Promise<boolean> {
  try {
    await link(existing, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await writeAll(file, bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    // A folder is no object: removing the object of its name, there is nothing to do.
    if (!isMissing(error) && !hasCode(error, 'EISDIR')) throw folderError('remove', path, error);
  }
}
