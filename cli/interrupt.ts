/** Ctrl-C and SIGTERM: the first asks the command to end in order, the second ends the process at once. */
import { constants } from 'node:os';

/** Thrown out of a command that a signal ended; says nothing, the exit code is the message. */
export class Interrupted extends Error {
  override name = 'Interrupted';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

/** 130 for Ctrl-C. */
function exitCodeOf(signal: 'SIGINT' | 'SIGTERM'): number {
  return 128 + constants.signals[signal];
}

/** Runs `work` with a signal that aborts at the first Ctrl-C or SIGTERM; whatever it does then, Interrupted is thrown. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (signal: 'SIGINT' | 'SIGTERM') => {
    if (controller.signal.aborted) process.exit(exitCodeOf(signal));
    controller.abort(new Interrupted(exitCodeOf(signal)));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

/** For servers, where the signal is the ordinary end: resolves at the first, ends the process at the second. */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    let interrupted = false;
    const interrupt = (signal: 'SIGINT' | 'SIGTERM') => {
      if (interrupted) process.exit(exitCodeOf(signal));
      interrupted = true;
      resolve();
    };
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', interrupt);
  });
}
