/** Which process wrote a file, and whether it is gone: known only on the host that it ran on. */
import { hostname } from 'node:os';

export interface ProcessId {
  readonly host: string;
  readonly pid: number;
  /** Process ids are used again, in containers after every start; the start time tells two processes of one id apart. */
  readonly processStartedAtMs: number;
}

export const thisProcess: ProcessId = {
  host: hostname(),
  pid: process.pid,
  processStartedAtMs: Math.round(Date.now() - process.uptime() * 1000),
};
const startToleranceMs = 2_000;

export function isProcessId(value: object): value is ProcessId {
  const { host, pid, processStartedAtMs } = value as Partial<ProcessId>;
  return typeof host === 'string' && typeof pid === 'number' && typeof processStartedAtMs === 'number';
}

/** False for a process of another host: it cannot be asked. */
export function isGone({ host, pid, processStartedAtMs }: ProcessId): boolean {
  if (host !== thisProcess.host) return false;
  if (pid === process.pid) {
    return Math.abs(processStartedAtMs - thisProcess.processStartedAtMs) > startToleranceMs;
  }
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
