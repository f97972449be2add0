/** Listing of a folder tree as a flat, ordered set of objects. */
import type { BigIntStats, Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '../errors.ts';
import { throwIfAborted } from './abort.ts';
import { folderError, hasCode, isMissing } from './folder-errors.ts';
import { compareKeys, reservedPrefix } from './key.ts';
import type { ObjectInfo } from './store.ts';

/** Time of the last change in nanoseconds, and size. */
export function etagOf(stats: BigIntStats): string {
  return `${stats.mtimeNs}-${stats.size}`;
}

/**
 * The files below `root` whose key starts with `prefix`, ascending by the UTF-8 bytes of the key. Links to files and folders
 * are followed, except a link to a folder it lies in; broken links, sockets and the like are left out.
 */
export async function* listFolder(
  root: string,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ObjectInfo> {
  const folderKey = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const folder = join(root, folderKey);
  const stats = await statIfThere(folder);
  if (!stats) return;
  if (!stats.isDirectory()) {
    if (folderKey !== '') return;
    throw new MillraceError('invalid-argument', `cannot list ${root}: it is not a folder`);
  }
  yield* walk(folder, folderKey, prefix.slice(folderKey.length), [identityOf(stats)], signal);
}

async function* walk(
  folder: string,
  folderKey: string,
  namePrefix: string,
  ancestors: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ObjectInfo> {
  throwIfAborted(signal);
  for (const name of await namesInKeyOrder(folder, namePrefix)) {
    throwIfAborted(signal);
    const path = join(folder, name);
    const stats = await statIfThere(path);
    if (stats?.isFile()) {
      yield { key: folderKey + name, bytes: Number(stats.size), etag: etagOf(stats) };
    } else if (stats?.isDirectory()) {
      const identity = identityOf(stats);
      const isCycle = ancestors.includes(identity);
      if (!isCycle) yield* walk(path, `${folderKey}${name}`, '', [...ancestors, identity], signal);
    }
  }
}

/** Folders get a trailing slash before sorting, because their keys go on with one: `a.txt` comes before `a/b`. */
async function namesInKeyOrder(folder: string, namePrefix: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw folderError('list', folder, error);
  }
  const names: string[] = [];
  for (const entry of entries) {
    if (!entry.name.startsWith(namePrefix) || entry.name.startsWith(reservedPrefix)) continue;
    names.push((await isFolder(entry, folder)) ? `${entry.name}/` : entry.name);
  }
  return names.sort(compareKeys);
}

async function isFolder(entry: Dirent, folder: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const stats = await statIfThere(join(folder, entry.name));
  return stats?.isDirectory() ?? false;
}

/** Undefined for what is gone by now and for a link that leads nowhere. */
async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isMissing(error) && path.includes('\ufffd')) {
      throw new MillraceError('store-failed', `cannot read ${path}: its name is not valid UTF-8; rename it`);
    }
    if (isMissing(error) || hasCode(error, 'ELOOP')) return undefined;
    throw folderError('read', path, error);
  }
}

function identityOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}
