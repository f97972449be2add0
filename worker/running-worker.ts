/** A worker from its start to its end: how it is told to go, and what has to be over then. */
import type { Clock } from '../lib/clock.ts';
import type { WorkerId } from '../lib/ids.ts';
import type { Log } from '../lib/log.ts';
import type { Attempts } from './control/attempts.ts';
import type { Session } from './control/session.ts';

export interface RunningWorker extends AsyncDisposable {
  /** Changes when the coordinator had given the worker up and it joined again. */
  readonly workerId: WorkerId;
  /** HOST:PORT, as bound. */
  readonly fetchAddress: string;
  /** Nothing runs here, and there is nothing that another worker could fetch. */
  readonly isIdle: boolean;
  /** Resolves at the first welcome of the coordinator; rejects as `ended` does. */
  readonly joined: Promise<void>;
  /** Resolves after `close`; rejects when the coordinator refused the worker, or was never reached. */
  readonly ended: Promise<void>;
  /** Says goodbye, stops all tasks, removes the scratch folder. */
  close(): Promise<void>;
  /**
   * Takes nothing new, finishes its tasks and serves its map outputs until no reduce needs them, for `timeoutMs` at most; then closes. What
   * runs after that goes back to the coordinator, uncharged.
   */
  drain(timeoutMs: number): Promise<void>;
  /** For tests: the same without the goodbye, as if its machine had lost power. */
  kill(): Promise<void>;
}

export interface WorkerParts {
  readonly session: Session;
  readonly attempts: Attempts;
  readonly fetchAddress: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Stops everything but the session; called once. */
  stop(): Promise<void>;
}

export function runningWorker({
  session,
  attempts,
  fetchAddress,
  clock,
  log,
  stop,
}: WorkerParts): RunningWorker {
  const stopped = once(stop);
  const ended = session.ended.finally(stopped);
  ended.catch(() => undefined);
  const close = async () => {
    await session.close();
    await stopped();
  };
  const drain = async (timeoutMs: number) => {
    if (timeoutMs > 0) {
      session.drain();
      if (!(await endsWithin(session.ended, timeoutMs, clock))) {
        const running = attempts.progress().length;
        log.warn({ running, timeoutMs }, 'not drained in time (--drain-timeout): what runs here goes back');
      }
    }
    await close();
  };
  const kill = async () => {
    session.abandon();
    await stopped();
  };
  return {
    get workerId() {
      return attempts.workerId;
    },
    fetchAddress,
    get isIdle() {
      return attempts.isIdle();
    },
    joined: session.joined,
    ended,
    close,
    drain,
    kill,
    [Symbol.asyncDispose]: close,
  };
}

/** False when the time is up first. */
function endsWithin(ended: Promise<void>, timeoutMs: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () => resolve(false));
    ended.then(() => resolve(true), reject).finally(cancel);
  });
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= run();
    return running;
  };
}
