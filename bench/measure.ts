/** Runs a command and measures it from outside: wall time and the peak memory of its process. Linux only: memory is read from /proc. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

export interface Measured {
  readonly wallMs: number;
  /** High-water mark of resident memory, seen up to 20 ms before the end; 0 when the system has no /proc. */
  readonly peakBytes: number;
}

const pollMs = 20;
/** Of /proc/PID/stat; the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Throws with what the command said on stderr when it fails. */
export async function measure(command: string, args: readonly string[]): Promise<Measured> {
  const startedMs = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  let peakBytes = 0;
  const poll = setInterval(() => {
    peakBytes = Math.max(peakBytes, highWaterBytes(child.pid ?? 0));
  }, pollMs);
  try {
    const [code] = await once(child, 'exit');
    const wallMs = performance.now() - startedMs;
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${code}:\n${said}`);
    return { wallMs, peakBytes };
  } finally {
    clearInterval(poll);
  }
}

/** VmHWM of a process; 0 when it is gone. */
function highWaterBytes(pid: number): number {
  try {
    const found = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return Number(found?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** User and system time of a process so far. */
export function cpuSeconds(pid: number | undefined): number {
  if (pid === undefined) return Number.NaN;
  // The name of the program, in brackets, may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Sorted copies are cheap at these sizes. The median of an even number is the lower one. */
export function summary(values: readonly number[]): { median: number; min: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return { median: at((sorted.length - 1) >> 1), min: at(0), max: at(sorted.length - 1) };
}
