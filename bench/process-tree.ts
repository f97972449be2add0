/** Processes and their descendants as /proc shows them. Linux only: elsewhere, and for a process that is gone, there is nothing to see. */
import { readdirSync, readFileSync } from 'node:fs';

/** Of /proc/PID/stat; the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** The process and all that it and its descendants started and that still run. */
export function processTree(pid: number): number[] {
  const tree = [pid];
  for (const parent of tree) {
    const children = threads(parent).flatMap((thread) =>
      read(`/proc/${parent}/task/${thread}/children`).split(' '),
    );
    tree.push(...children.filter((text) => text !== '').map(Number));
  }
  return tree;
}

/** Of a negative number the whole group. Nothing happens to what ended meanwhile. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
}

/** VmRSS and its high-water mark; 0 when the process is gone. Pages that processes share are counted in each. */
export function residentBytes(pid: number): { readonly now: number; readonly highest: number } {
  const status = read(`/proc/${pid}/status`);
  const kilobytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  return { now: kilobytes('VmRSS') * 1024, highest: kilobytes('VmHWM') * 1024 };
}

/** The fields behind the name of the program, which is in brackets and may hold spaces; the first is field 3 of proc(5). */
function statFields(pid: number | 'self'): string[] {
  return read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
}

/** User and system time of a process so far; NaN when there is none. */
export function cpuSeconds(pid: number | undefined): number {
  if (pid === undefined) return Number.NaN;
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** User and system time of all children of this process that have ended, with their descendants that they waited for. */
export function endedChildrenCpuSeconds(): number {
  const fields = statFields('self');
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}
