/**
 * The temporary files of the folder store: an object is whole before it gets its name. What a process that died left behind goes with the next object
 * of that folder, so the name says whose it is.
 */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isGone, type ProcessId, thisProcess } from '../process-id.ts';
import { isMissing } from './folder-errors.ts';
import { reservedPrefix } from './key.ts';

const prefix = `${reservedPrefix}put-`;
/** The host last: there may be anything in its name. */
const namePattern = /^[0-9a-f-]{36}\.(\d+)\.(\d+)\.(.+)$/;

export function temporaryBeside(path: string, owner: ProcessId = thisProcess): string {
  const { pid, processStartedAtMs, host } = owner;
  return join(dirname(path), `${prefix}${randomUUID()}.${pid}.${processStartedAtMs}.${host}`);
}

/** Whether it is a temporary file whose process is gone. In doubt it is not. */
export function isAbandoned(name: string): boolean {
  if (!name.startsWith(prefix)) return false;
  const [, pid, startedAtMs, host] = namePattern.exec(name.slice(prefix.length)) ?? [];
  if (host === undefined) return false;
  return isGone({ host, pid: Number(pid), processStartedAtMs: Number(startedAtMs) });
}

/** Paths, directly in the folder; none when it is not there. */
export async function listAbandoned(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(isAbandoned).map((name) => join(folder, name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
