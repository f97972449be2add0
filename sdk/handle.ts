/** A submitted job, by its id: its state, its log, its result. Any number of handles may be on one job, in any process. */
import { MillraceError } from '../lib/errors.ts';
import type { JobId } from '../lib/ids.ts';
import { isTerminal, type JobView } from '../lib/job-view.ts';
import type { Stores } from '../lib/store/resolve.ts';
import { parseJobView } from './convert.ts';
import type { Coordinators, Services } from './coordinators.ts';
import { readOutput } from './read-output.ts';
import { pause, type WaitOptions } from './rpc.ts';
import { SeenLog } from './seen-log.ts';

/** One line that a user function logged. */
export interface LogLine {
  /** `m12`, `r3`; empty for a note about the log itself. */
  readonly task: string;
  readonly attempt: number;
  readonly atMs: number;
  readonly text: string;
}

export interface LogsOptions extends WaitOptions {
  /** Only of this task: `m3`, `r0`. */
  readonly task?: string | undefined;
  /** Stay until the job has ended. */
  readonly follow?: boolean | undefined;
}

/**
 * What handles share: the connection of their client.
 * @internal
 */
export interface HandleConnection {
  readonly coordinators: Coordinators;
  readonly stores: Stores;
}

const answerTimeoutMs = 20_000;
/** A coordinator that restarts is back long before, or another one has taken the lead. */
const reconnectMsMax = 60_000;

export class JobHandle<Out = unknown> {
  readonly id: JobId;
  readonly #connection: HandleConnection;

  /** @internal */
  constructor(id: JobId, connection: HandleConnection) {
    this.id = id;
    this.#connection = connection;
  }

  /** The job as it is now. Throws `not-found` for an id the coordinator does not know. */
  async status(options: WaitOptions = {}): Promise<JobView> {
    const reply = await this.#connection.coordinators.ask<{ viewJson: string }>(
      ({ client }, done) => client.get({ jobId: this.id }, { deadline: Date.now() + answerTimeoutMs }, done),
      options.signal,
    );
    return parseJobView(reply.viewJson);
  }

  /**
   * The job now and after each change, a few times a second at most; the last view is terminal. A stream that breaks or ends
   * is opened again, for up to a minute, so a coordinator may be restarted or taken over from: completion is read from the state and from nothing else.
   */
  async *watch(options: WaitOptions = {}): AsyncGenerator<JobView, void, void> {
    const views = this.#reopened(() => this.#views(options.signal), options.signal);
    for await (const view of views) {
      yield view;
      if (isTerminal(view.state)) return;
    }
  }

  /** Resolves with the terminal view, whatever it is: COMPLETED, FAILED or CANCELLED. */
  async wait(options: WaitOptions = {}): Promise<JobView> {
    for await (const view of this.watch(options)) {
      if (isTerminal(view.state)) return view;
    }
    throw this.#noEnd();
  }

  /**
   * The output records, in the order of the parts; waits for the job to end first. They are read from the store, so this process must
   * be able to reach it. Throws `job-failed` with the cause of a job that failed, and `cancelled` for one that was cancelled.
   */
  async *result(options: WaitOptions = {}): AsyncGenerator<Out, void, void> {
    const view = await this.wait(options);
    throwUnlessCompleted(view);
    yield* readOutput(this.#connection.stores, view.outputUri, options.signal) as AsyncGenerator<Out>;
  }

  /** Asks for the end of the job; its output folder stays as it was. Throws `wrong-state` when the job has ended already. */
  async cancel(options: WaitOptions = {}): Promise<JobView> {
    const reply = await this.#connection.coordinators.ask<{ viewJson: string }>(
      ({ client }, done) =>
        client.cancel({ jobId: this.id }, { deadline: Date.now() + answerTimeoutMs }, done),
      options.signal,
    );
    return parseJobView(reply.viewJson);
  }

  /**
   * What the job's functions logged so far; with `follow`, until the job has ended. A coordinator keeps it in memory: when another one leads, what
   * it has follows after a line that says so.
   */
  async *logs(options: LogsOptions = {}): AsyncGenerator<LogLine, void, void> {
    if (!options.follow) return yield* this.#logLines(options);
    const seen = new SeenLog();
    const open = () => seen.withoutSeen(this.#logLines(options));
    const hasEnded = async () => isTerminal((await this.status({ signal: options.signal })).state);
    yield* this.#reopened(open, options.signal, hasEnded);
  }

  async *#logLines({ task: wanted = '', follow = false, signal }: LogsOptions): AsyncGenerator<LogLine> {
    const request = { jobId: this.id, task: wanted, follow };
    const { coordinators } = this.#connection;
    for await (const chunk of coordinators.iterate(({ client }) => client.logs(request), signal)) {
      for (const { task, attempt, atMs, text } of chunk.entries)
        yield { task, attempt, atMs: Number(atMs), text };
    }
  }

  /** What a stream gives; opened again when it breaks or ends without being at its end, for up to a minute since the last that came. */
  async *#reopened<T>(
    open: () => AsyncIterable<T>,
    signal: AbortSignal | undefined,
    hasEnded: () => Promise<boolean> = async () => false,
  ): AsyncGenerator<T, void, void> {
    const { coordinators } = this.#connection;
    let brokenSinceMs: number | undefined;
    let failure: MillraceError | undefined;
    for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, 2_000)) {
      try {
        for await (const one of open()) {
          brokenSinceMs = undefined;
          delayMs = 100;
          yield one;
        }
        if (await hasEnded()) return;
      } catch (thrown) {
        failure = MillraceError.from(thrown);
        // A coordinator that never answered is a wrong address, not a restart.
        if (!coordinators.hasAnswered || !failure.retryable) throw failure;
      }
      brokenSinceMs ??= performance.now();
      if (performance.now() - brokenSinceMs > reconnectMsMax) throw failure ?? this.#noEnd();
      await pause(delayMs, signal);
    }
  }

  #noEnd(): MillraceError {
    const { address } = this.#connection.coordinators;
    return new MillraceError(
      'unavailable',
      `the coordinator at ${address} no longer says how job ${this.id} goes`,
    );
  }

  async *#views(signal: AbortSignal | undefined): AsyncGenerator<JobView, void, void> {
    const { coordinators } = this.#connection;
    const open = ({ client }: Services) => client.watch({ jobId: this.id });
    for await (const reply of coordinators.iterate(open, signal)) {
      yield parseJobView(reply.viewJson);
    }
  }
}

/** Throws `job-failed` or `cancelled`; the failure of the task that ended the job is in the message and the cause in `cause`. */
export function throwUnlessCompleted(view: JobView): void {
  if (view.state === 'COMPLETED') return;
  const why = view.cause ? `: ${view.cause.message}` : '';
  if (view.state === 'CANCELLED')
    throw new MillraceError('cancelled', `job ${view.jobId} was cancelled${why}`);
  throw new MillraceError('job-failed', `job ${view.name} (${view.jobId}) failed${why}`, {
    cause: view.cause,
  });
}
