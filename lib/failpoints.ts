/**
 * Places at which a test makes a program die, stand still or fail: at every step that is durable or visible. They do nothing unless the environment of
 * the program names a folder, `MILLRACE_FAILPOINTS`. Its file `armed` says what is to happen where:
 *
 *   ID NAME=ACTION@HIT       17 commit.part=kill@2: the second time that some thread comes by
 *
 * It is read again at each failpoint, so that programs that run can be armed too. Whoever gets there first makes the file `fired-ID`, create-only, so that
 * it happens once in a whole cluster, and its reader knows that it did.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { type Failpoint, failpoints } from './failpoint-names.ts';
import type { Log } from './log.ts';

/** `kill` and `stop` are signals to itself; the others throw: an error of our own, a full disk, a broken one, a connection that is gone. */
export const failActions = ['kill', 'stop', 'throw', 'enospc', 'eio', 'reset'] as const;
export type FailAction = (typeof failActions)[number];

/** What is armed. */
export interface ArmedFailpoint {
  /** Of a file name. */
  readonly id: string;
  readonly name: Failpoint;
  readonly action: FailAction;
  /** From 1; counted by each thread for itself. */
  readonly hit: number;
}

/** What `fired-ID` says, as JSON. */
export interface FiredFailpoint {
  readonly pid: number;
  /** The command, and whether it was in a slot: `worker`, `worker slot`. */
  readonly role: string;
  readonly name: Failpoint;
  readonly atMs: number;
}

/** Of the main thread and of slots: their environment is that of the process, without its secrets. */
const folder = process.env.MILLRACE_FAILPOINTS;
const armedPattern = /^([\w-]+) ([a-z0-9.-]+)=([a-z]+)@(\d+)\n$/;

let counted = { text: '', hits: 0 };

/** Costs nothing where no test has armed it. Throws what it is armed to throw, and for an `armed` file that cannot be read. */
export function failpoint(name: Failpoint): void {
  if (folder !== undefined) reach(folder, name);
}

/** For the start of a program: it must not be armed by mistake. */
export function warnOfFailpoints(log: Log): void {
  if (folder === undefined) return;
  log.warn(
    { folder },
    'FAILPOINTS ARE ON (MILLRACE_FAILPOINTS): this process may kill itself; for tests only',
  );
}

export function formatArmed({ id, name, action, hit }: ArmedFailpoint): string {
  return `${id} ${name}=${action}@${hit}\n`;
}

export function parseArmed(text: string): ArmedFailpoint {
  const [, id = '', name = '', action = '', hit] = armedPattern.exec(text) ?? [];
  if (!isFailpoint(name) || !isFailAction(action)) {
    throw new Error(`not a failpoint (MILLRACE_FAILPOINTS): ${JSON.stringify(text)}`);
  }
  return { id, name, action, hit: Number(hit) };
}

export function isFailpoint(name: string): name is Failpoint {
  return Object.hasOwn(failpoints, name);
}

export function isFailAction(action: string): action is FailAction {
  return (failActions as readonly string[]).includes(action);
}

function reach(at: string, name: Failpoint): void {
  const text = readArmed(at);
  if (text === undefined) return;
  const armed = parseArmed(text);
  if (armed.name !== name) return;
  if (counted.text !== text) counted = { text, hits: 0 };
  counted.hits++;
  if (counted.hits >= armed.hit && isFirst(at, armed)) act(armed);
}

function readArmed(at: string): string | undefined {
  try {
    return readFileSync(join(at, 'armed'), 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** False when it happened already, here or in another process. */
function isFirst(at: string, { id, name }: ArmedFailpoint): boolean {
  // Of a thread `argv` has only its script; all threads here are slots.
  const role = isMainThread ? (process.argv[2] ?? '') : 'worker slot';
  const fired: FiredFailpoint = { pid: process.pid, role, name, atMs: Date.now() };
  try {
    writeFileSync(join(at, `fired-${id}`), `${JSON.stringify(fired)}\n`, { flag: 'wx' });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

function act({ name, action }: ArmedFailpoint): void {
  switch (action) {
    case 'kill':
    case 'stop':
      process.kill(process.pid, action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
      return;
    case 'throw':
      throw new Error(`failpoint ${name}`);
    case 'enospc':
      throw systemError('ENOSPC', 'no space left on device', name);
    case 'eio':
      throw systemError('EIO', 'i/o error', name);
    case 'reset':
      throw systemError('ECONNRESET', 'connection reset by peer', name);
  }
}

function systemError(code: string, text: string, name: Failpoint): Error {
  return Object.assign(new Error(`${code}: ${text}, failpoint ${name}`), { code });
}
