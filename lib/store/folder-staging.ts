/**
 * How the folder store keeps unpublished objects: beside their target, in `.millrace-<owner>/`, so that publishing is a rename
 * within one file system. An empty file `.created-<n>` there says that `stage` had to make the target folder and n - 1 above it.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { MillraceError } from '../errors.ts';
import { failpoint } from '../failpoints.ts';
import { folderError, hasCode, isMissing } from './folder-errors.ts';
import { isAbandoned } from './folder-temporaries.ts';
import { reservedPrefix } from './key.ts';
import type { StagedObject, StageWriter } from './store.ts';

const tokenPattern = /^([A-Za-z0-9_-]{1,64})\/([0-9a-f-]{36})$/;
const markerPattern = /^\.created-(\d{1,4})$/;

export async function openStaged(root: string, key: string, owner: string): Promise<StageWriter> {
  const token = `${owner}/${randomUUID()}`;
  const path = stagedPath(root, key, token);
  try {
    await makeStagingFolder(dirname(join(root, key)), dirname(path));
    failpoint('folder.staging-made');
    return new FileStageWriter(key, token, path, await open(path, 'wx'));
  } catch (error) {
    throw folderError('write', path, error);
  }
}

/** The temporary file of a staged object. Built from the key and checked ids, because tokens come from other processes. */
export function stagedPath(root: string, key: string, token: string): string {
  const match = tokenPattern.exec(token);
  if (!match) {
    throw new MillraceError('invalid-argument', `not a token of a folder store: ${JSON.stringify(token)}`);
  }
  const target = join(root, key);
  const name = `${basename(target).slice(0, 40).toWellFormed()}.${match[2]}`;
  return join(dirname(target), `${reservedPrefix}${match[1]}`, name);
}

/** Removes the staging folders of `owner` in `folder` and below it, what dead processes left there, and the folders that staging made and nobody used. */
export async function sweepFolder(root: string, folder: string, owner: string): Promise<void> {
  try {
    await sweepTree(root, folder, `${reservedPrefix}${owner}`);
  } catch (error) {
    throw folderError('clean up', folder, error);
  }
}

async function makeStagingFolder(folder: string, staging: string): Promise<void> {
  const topmostMade = await mkdir(folder, { recursive: true });
  await mkdir(staging, { recursive: true });
  if (topmostMade === undefined) return;
  const levels = relative(dirname(topmostMade), folder).split(sep).length;
  await (await open(join(staging, `.created-${levels}`), 'a')).close();
}

async function sweepTree(root: string, folder: string, stagingName: string): Promise<void> {
  let levels = 0;
  for (const entry of await entriesIfThere(folder)) {
    const path = join(folder, entry.name);
    if (isAbandoned(entry.name)) await rm(path, { force: true });
    if (!entry.isDirectory()) continue;
    if (entry.name === stagingName) {
      levels = await levelsMade(path);
      await rm(path, { recursive: true, force: true });
    } else if (!entry.name.startsWith(reservedPrefix)) {
      await sweepTree(root, path, stagingName);
    }
  }
  await removeIfEmpty(root, folder, levels);
}

async function levelsMade(staging: string): Promise<number> {
  const levels = (await entriesIfThere(staging)).map((entry) =>
    Number(markerPattern.exec(entry.name)?.[1] ?? 0),
  );
  return Math.max(0, ...levels);
}

/** The folder and up to `levels - 1` above it, as long as they are empty and below the root. */
async function removeIfEmpty(root: string, folder: string, levels: number): Promise<void> {
  let path = folder;
  for (let level = 0; level < levels && relative(root, path) !== ''; level++) {
    try {
      await rmdir(path);
    } catch (error) {
      if (hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
      throw error;
    }
    path = dirname(path);
  }
}

async function entriesIfThere(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

class FileStageWriter implements StageWriter {
  readonly token: string;
  readonly #key: string;
  readonly #path: string;
  readonly #file: FileHandle;
  #bytes = 0;

  constructor(key: string, token: string, path: string, file: FileHandle) {
    this.#key = key;
    this.token = token;
    this.#path = path;
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      failpoint('folder.write');
      await writeAll(this.#file, bytes);
    } catch (error) {
      throw folderError('write', this.#path, error);
    }
    this.#bytes += bytes.length;
  }

  async seal(): Promise<StagedObject> {
    try {
      failpoint('folder.seal');
      await this.#file.datasync();
      await this.#file.close();
    } catch (error) {
      throw folderError('write', this.#path, error);
    }
    return { key: this.#key, token: this.token, bytes: this.#bytes };
  }

  async abort(): Promise<void> {
    try {
      await this.#file.close();
      await unlink(this.#path);
    } catch (error) {
      if (!isMissing(error)) throw folderError('remove', this.#path, error);
    }
  }
}

/** A write may take only a part of the bytes, as it does shortly before the disk is full. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at);
    at += bytesWritten;
  }
}
