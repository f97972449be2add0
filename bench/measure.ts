/** Runs a command and measures it from outside: wall time, CPU time and peak memory of all its processes. Memory and CPU on Linux only. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { endedChildrenCpuSeconds, killIfThere, processTree, residentBytes } from './process-tree.ts';

export interface Measured {
  readonly wallMs: number;
  /** User and system time of the process and of all descendants that were waited for; NaN where there is no /proc. */
  readonly cpuSeconds: number;
  /**
   * The largest sum of resident memory over the tree of processes that was seen, looked at every 50 ms, or the high-water mark of one of them when that is
   * more. Pages that processes share count in each. 0 where there is no /proc.
   */
  readonly peakBytes: number;
  readonly stdout: string;
}

export interface MeasureOptions {
  /** Beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** After which all of the tree is killed, and the measurement fails. */
  readonly timeoutMs?: number;
}

const pollMs = 50;
const timeoutMsDefault = 30 * 60_000;
/** Of what a command says; the rest is dropped. */
const saidCharsMax = 1_000_000;

/** One at a time: CPU time is that of all children that ended meanwhile. Throws with what the command said on stderr when it fails. */
export async function measure(
  command: string,
  args: readonly string[],
  { env, timeoutMs = timeoutMsDefault }: MeasureOptions = {},
): Promise<Measured> {
  const cpuBefore = endedChildrenCpuSeconds();
  const startedMs = performance.now();
  // In a group of its own, so that all of it can be ended.
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    detached: true,
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const memory = new PeakMemory(child.pid);
  const killGroup = () => child.pid !== undefined && killIfThere(-child.pid);
  process.once('exit', killGroup);
  const timer = setTimeout(killGroup, timeoutMs);
  try {
    const exit = once(child, 'exit').then(([code, signal]) => ({
      code,
      signal,
      wallMs: performance.now() - startedMs,
    }));
    const [{ code, signal, wallMs }] = await Promise.all([exit, once(child, 'close')]);
    if (code !== 0) {
      const what =
        wallMs >= timeoutMs ? `was killed after ${timeoutMs / 1000} s` : `ended with ${code ?? signal}`;
      throw new Error(`${command} ${args.join(' ')} ${what}:\n${stderr()}`);
    }
    return {
      wallMs,
      cpuSeconds: endedChildrenCpuSeconds() - cpuBefore,
      peakBytes: memory.stop(),
      stdout: stdout(),
    };
  } finally {
    memory.stop();
    clearTimeout(timer);
    process.removeListener('exit', killGroup);
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    if (text.length < saidCharsMax) text += chunk;
  });
  return () => text;
}

class PeakMemory {
  readonly #timer: NodeJS.Timeout;
  #peakBytes = 0;

  constructor(pid: number | undefined) {
    this.#timer = setInterval(() => {
      if (pid !== undefined) this.#look(pid);
    }, pollMs);
  }

  stop(): number {
    clearInterval(this.#timer);
    return this.#peakBytes;
  }

  #look(pid: number): void {
    const tree = processTree(pid).map(residentBytes);
    const sum = tree.reduce((bytes, { now }) => bytes + now, 0);
    this.#peakBytes = Math.max(this.#peakBytes, sum, ...tree.map(({ highest }) => highest));
  }
}
