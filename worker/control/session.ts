/**
 * The worker's end of the session with its coordinator: hello, heartbeats, batched messages both ways, and coming back
 * after a break. Runs on the main thread, where no user code runs, so a busy task never looks like a dead worker.
 *
 *   connecting -> (stream open, hello sent) -> joined (welcome came) -> closed
 *        ^------------- backoff, when the stream breaks ----'
 *
 * A report is kept until the coordinator answers it, and sent again after each reconnect: it is never lost, only late.
 */
import { hostname } from 'node:os';
import { type ClientDuplexStream, status } from '@grpc/grpc-js';
import type { Clock } from '../../lib/clock.ts';
import type { Finding } from '../../lib/diagnosis.ts';
import { type ErrorCode, MillraceError } from '../../lib/errors.ts';
import { type AttemptId, attemptKey, type JobId, toJobId, type WorkerId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import type { Log } from '../../lib/log.ts';
import type {
  AttemptProgress,
  AttemptReport,
  FetchProgress,
  FetchTrouble,
  PartOpened,
  WorkerUsage,
} from '../../lib/reports.ts';
import { type Credentials, securityToCoordinator } from '../../lib/security/credentials.ts';
import type { CoordinatorMessage__Output } from '../../proto/gen/millrace/v1/CoordinatorMessage.ts';
import type { WorkerControlClient } from '../../proto/gen/millrace/v1/WorkerControl.ts';
import type { WorkerMessage } from '../../proto/gen/millrace/v1/WorkerMessage.ts';
import { loadWorkerService, protocolVersion } from '../../proto/load.ts';
import {
  type Assignment,
  assignmentIn,
  attemptIdIn,
  attemptIdOut,
  diagnoseIn,
  fetchProgressOut,
  fetchTroubleOut,
  heartbeatOut,
  type JobInfo,
  jobInfoIn,
  type Locations,
  locationsIn,
  partOpenedOut,
  reportOut,
} from './convert.ts';
import type { DiagnoseRequest } from './diagnose.ts';

type Stream = ClientDuplexStream<WorkerMessage, CoordinatorMessage__Output>;

/** What the coordinator asks for, in the order it asked. None of these may throw. */
export interface SessionHandlers {
  onJob(job: JobInfo): void;
  /** A fresh fetch ticket for a job told before. */
  onTicket(jobId: JobId, ticket: string): void;
  onAssignment(assignment: Assignment): void;
  onCancel(attempt: AttemptId, reason: string): void;
  onLocations(locations: Locations): void;
  /** The report of this attempt has been dealt with; `accepted` false: drop what the attempt made. */
  onAnswer(attempt: AttemptId, accepted: boolean): void;
  onJobEnded(jobId: JobId): void;
  /** The coordinator holds this worker for dead: stop all attempts, drop all outputs. Returns the new worker id. */
  onRejoin(): WorkerId;
  /**
   * A stream is up, or up again: say again what went down with the last one (fetch progress). `ticketKey` is the public key of the
   * coordinator's fetch tickets.
   */
  onWelcome(ticketKey: Uint8Array): void;
  /** For hellos: map outputs on this worker's disk, and the dead workers whose scratch folder it took over. */
  held(): AttemptId[];
  replaces(): readonly WorkerId[];
  /** Nothing runs here, nothing waits for an answer, and there is nothing that anybody could fetch. */
  isIdle(): boolean;
  /** For heartbeats and hellos. */
  progress(): AttemptProgress[];
  usage(): WorkerUsage;
}

export interface SessionOptions {
  readonly coordinator: string;
  readonly credentials: Credentials;
  readonly workerId: WorkerId;
  readonly slots: number;
  /** HOST:PORT where peers fetch. */
  readonly fetchAddress: string;
  readonly softwareVersion: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly handlers: SessionHandlers;
  /** Never rejects. */
  diagnose(request: DiagnoseRequest): Promise<Finding[]>;
  /** Called whenever it changes whether the coordinator may send work here. */
  onServing(isServing: boolean): void;
  /** Gives up when it never joined for so long; 0 tries for ever. */
  readonly joinTimeoutMs: number;
  /** Default: over gRPC. */
  openClient?(address: string, credentials: Credentials): Pick<WorkerControlClient, 'session' | 'close'>;
}

type Outgoing = Required<
  Pick<WorkerMessage, 'reports' | 'partsOpened' | 'fetchTroubles' | 'fetchProgress' | 'logLines'>
>;

const flushAfterMs = 5;
const flushAtItems = 64;
/** So many segments of a map report weigh as much as another item. */
const segmentsPerItem = 512;
const backoffMs = [50, 100, 200, 500, 1_000, 2_000];
const goodbyeTimeoutMs = 1_000;
/** To come back with the same credentials would change nothing. */
const refusals: ReadonlyMap<status, ErrorCode> = new Map([
  [status.UNAUTHENTICATED, 'unauthenticated'],
  [status.PERMISSION_DENIED, 'permission-denied'],
]);

function openGrpcClient(address: string, credentials: Credentials): WorkerControlClient {
  const Client = loadWorkerService();
  const security = securityToCoordinator(credentials, address);
  return new Client(address, security.credentials, {
    ...security.options,
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2_000,
    'grpc.max_receive_message_length': limits.grpcMessageBytesMax * 2,
  });
}

function nothing(): Outgoing {
  return { reports: [], partsOpened: [], fetchTroubles: [], fetchProgress: [], logLines: [] };
}

export class Session {
  readonly #options: SessionOptions;
  readonly #client: Pick<WorkerControlClient, 'session' | 'close'>;
  readonly #unanswered = new Map<string, AttemptReport>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #joined = Promise.withResolvers<void>();
  readonly #startedMs: number;
  #workerId: WorkerId;
  #stream: Stream | undefined;
  #isJoined = false;
  #everJoined = false;
  #closed = false;
  #draining = false;
  /** On this stream. */
  #saidDraining = false;
  #failures = 0;
  #outgoing = nothing();
  #items = 0;
  #cancelFlush: (() => void) | undefined;
  #cancelHeartbeat: (() => void) | undefined;
  #cancelReconnect: (() => void) | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#workerId = options.workerId;
    this.#startedMs = options.clock.monotonicMs();
    this.#joined.promise.catch(() => undefined);
    this.#ended.promise.catch(() => undefined);
    const { openClient = openGrpcClient } = options;
    this.#client = openClient(options.coordinator, options.credentials);
    this.#connect();
  }

  /** Resolves at the first welcome; rejects as `ended` does. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** Resolves after `close`; rejects with what the coordinator refused, or `unavailable` when it was never reached. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Sent now and after every reconnect until it is answered. */
  report(report: AttemptReport): void {
    this.#unanswered.set(attemptKey(report.attempt), report);
    if (!this.#isJoined) return;
    this.#queue(report);
  }

  fetchProgress(progress: FetchProgress): void {
    this.#outgoing.fetchProgress.push(fetchProgressOut(progress));
    this.#grow();
  }

  /** Soon, so that the coordinator can drop the part if this worker dies. */
  partOpened(opened: PartOpened): void {
    this.#outgoing.partsOpened.push(partOpenedOut(opened));
    this.#grow();
  }

  fetchTrouble(trouble: FetchTrouble): void {
    this.#outgoing.fetchTroubles.push(fetchTroubleOut(trouble));
    this.#grow();
  }

  log(attempt: AttemptId, atMs: number, text: string): void {
    this.#outgoing.logLines.push({ attempt: attemptIdOut(attempt), atMs, text });
    this.#grow();
  }

  /**
   * Tells the coordinator that this worker is to leave: it is given nothing new, and ends by itself when nothing needs it any more. Without
   * a coordinator to say so, that is when it is idle.
   */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#tellServing();
    this.#flush();
    if (this.#isJoined) this.#sayDraining();
    else if (this.#mayLeaveUnsaid()) this.#finish();
  }

  #sayDraining(): void {
    if (!this.#draining || this.#saidDraining) return;
    this.#saidDraining = true;
    this.#stream?.write({ draining: true });
  }

  #mayLeaveUnsaid(): boolean {
    return this.#draining && (!this.#everJoined || this.#options.handlers.isIdle());
  }

  /** Says goodbye if it can, and ends. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const stream = this.#stream;
    if (stream && this.#isJoined) {
      this.#flush();
      stream.write({ goodbye: true });
      // Its end is not a break to come back from.
      this.#stream = undefined;
      stream.end();
      await this.#streamClosed(stream);
      stream.cancel();
    }
    this.#finish();
  }

  /** Ends without a word, as a process that dies does. */
  abandon(): void {
    this.#finish();
  }

  #tellServing(): void {
    this.#options.onServing(this.#isJoined && !this.#draining);
  }

  #streamClosed(stream: Stream): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(goodbyeTimeoutMs, done);
      function done() {
        cancel();
        resolve();
      }
      stream.on('status', done);
    });
  }

  #finish(error?: MillraceError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#isJoined = false;
    this.#tellServing();
    for (const cancel of [this.#cancelFlush, this.#cancelHeartbeat, this.#cancelReconnect]) cancel?.();
    this.#stream?.cancel();
    this.#client.close();
    if (error) {
      this.#joined.reject(error);
      this.#ended.reject(error);
    } else {
      this.#joined.resolve();
      this.#ended.resolve();
    }
  }

  #connect(): void {
    const { handlers, slots, fetchAddress, softwareVersion } = this.#options;
    const stream = this.#client.session();
    this.#stream = stream;
    stream.on('data', (message: CoordinatorMessage__Output) => {
      if (stream !== this.#stream || this.#closed) return;
      try {
        this.#receive(message);
      } catch (error) {
        this.#finish(MillraceError.from(error));
      }
    });
    // The status follows every error and says the same; without a listener an error would be thrown.
    stream.on('error', () => undefined);
    stream.on('status', ({ code, details }) => this.#broken(stream, code, details));
    this.#saidDraining = this.#draining;
    stream.write({
      hello: {
        workerId: this.#workerId,
        protocolVersion,
        softwareVersion,
        host: hostname(),
        fetchAddress,
        slots,
        pid: process.pid,
        draining: this.#draining,
        running: this.#running(handlers.progress()),
        held: handlers.held().map(attemptIdOut),
        replaces: [...handlers.replaces()],
      },
    });
  }

  /** What runs, and what has ended but is not answered yet: the coordinator must not take either for lost. */
  #running(progress: AttemptProgress[]) {
    const running = new Map(progress.map(({ attempt }) => [attemptKey(attempt), attempt]));
    for (const [key, { attempt }] of this.#unanswered) running.set(key, attempt);
    return [...running.values()].map(attemptIdOut);
  }

  #broken(stream: Stream, code: status, details: string): void {
    if (stream !== this.#stream || this.#closed) return;
    const refusal = refusals.get(code);
    if (refusal) {
      const message = `the coordinator at ${this.#options.coordinator} refused this worker: ${details}`;
      this.#finish(new MillraceError(refusal, message));
      return;
    }
    this.#isJoined = false;
    this.#tellServing();
    this.#cancelHeartbeat?.();
    if (this.#mayLeaveUnsaid()) {
      this.#finish();
      return;
    }
    const { clock, log, coordinator, joinTimeoutMs } = this.#options;
    const tooLong = joinTimeoutMs > 0 && clock.monotonicMs() - this.#startedMs > joinTimeoutMs;
    if (!this.#everJoined && tooLong) {
      const message = `no coordinator answers at ${coordinator} (--coordinator, MILLRACE_COORDINATOR): ${details}`;
      this.#finish(new MillraceError('unavailable', message));
      return;
    }
    const waitMs = backoffMs[Math.min(this.#failures++, backoffMs.length - 1)]!;
    log.info(
      { worker: this.#workerId, coordinator, details, waitMs },
      'the coordinator is out of reach, trying again',
    );
    // Half of it is jitter, so that a thousand workers do not come back in one instant.
    this.#cancelReconnect = clock.after(waitMs * (0.5 + Math.random() / 2), () => this.#connect());
  }

  #receive(message: CoordinatorMessage__Output): void {
    if (message.refused) throw new MillraceError('invalid-argument', message.refused);
    if (message.rejoin) {
      this.#rejoin();
      return;
    }
    if (message.welcome) this.#welcome(message.welcome.heartbeatIntervalMs, message.welcome.ticketKey);
    const { handlers } = this.#options;
    for (const job of message.jobs) handlers.onJob(jobInfoIn(job));
    if (message.diagnose) void this.#diagnose(diagnoseIn(message.diagnose));
    for (const { jobId, ticket } of message.tickets) handlers.onTicket(toJobId(jobId), ticket);
    for (const assignment of message.assignments) handlers.onAssignment(assignmentIn(assignment));
    for (const cancel of message.cancels) handlers.onCancel(attemptIdIn(cancel.attempt), cancel.reason);
    for (const locations of message.locations) handlers.onLocations(locationsIn(locations));
    for (const { attempt, accepted } of message.answers) this.#answered(attemptIdIn(attempt), accepted);
    for (const jobId of message.jobsEnded) handlers.onJobEnded(toJobId(jobId));
    if (message.drain) {
      this.#options.log.info({ worker: this.#workerId }, 'an operator asked this worker to drain');
      this.drain();
    }
    if (message.drained && this.#draining) void this.close();
  }

  /** Answers the coordinator that asked: a later one has not. */
  async #diagnose(request: DiagnoseRequest): Promise<void> {
    const stream = this.#stream;
    const { clock, softwareVersion, diagnose } = this.#options;
    const findings = await diagnose(request);
    if (stream !== this.#stream || this.#closed) return;
    const { version: nodeVersion } = process;
    const diagnosis = { id: request.id, clockMs: clock.now(), softwareVersion, nodeVersion, findings };
    stream?.write({ diagnosis });
  }

  #answered(attempt: AttemptId, accepted: boolean): void {
    if (!this.#unanswered.delete(attemptKey(attempt))) return;
    this.#options.handlers.onAnswer(attempt, accepted);
  }

  #welcome(heartbeatIntervalMs: number, ticketKey: Uint8Array): void {
    this.#failures = 0;
    this.#isJoined = true;
    this.#everJoined = true;
    this.#tellServing();
    this.#joined.resolve();
    this.#outgoing.reports = [];
    for (const report of this.#unanswered.values()) this.#queue(report);
    this.#options.handlers.onWelcome(ticketKey);
    this.#flush();
    this.#sayDraining();
    this.#beat(heartbeatIntervalMs);
  }

  #rejoin(): void {
    this.#options.log.warn(
      { worker: this.#workerId },
      'the coordinator held this worker for dead: starting afresh',
    );
    this.#isJoined = false;
    this.#tellServing();
    this.#cancelHeartbeat?.();
    this.#unanswered.clear();
    this.#outgoing = nothing();
    this.#items = 0;
    this.#workerId = this.#options.handlers.onRejoin();
    const old = this.#stream;
    this.#stream = undefined;
    old?.end();
    this.#connect();
  }

  #beat(intervalMs: number): void {
    const { handlers, clock } = this.#options;
    this.#stream?.write({ heartbeat: heartbeatOut(handlers.progress(), handlers.usage()) });
    this.#cancelHeartbeat = clock.after(intervalMs, () => this.#beat(intervalMs));
  }

  /** A report of very many segments fills a message by itself: what goes together must stay under the message limit. */
  #queue(report: AttemptReport): void {
    const { outcome } = report;
    const segments = outcome.kind === 'map-done' ? outcome.report.segments.length : 0;
    this.#outgoing.reports.push(reportOut(report));
    this.#grow(1 + segments / segmentsPerItem);
  }

  #grow(weight = 1): void {
    this.#items += weight;
    if (this.#items >= flushAtItems) this.#flush();
    else this.#cancelFlush ??= this.#options.clock.after(flushAfterMs, () => this.#flush());
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    if (!this.#isJoined) return;
    const outgoing = this.#outgoing;
    this.#outgoing = nothing();
    this.#items = 0;
    if (Object.values(outgoing).every((list) => list.length === 0)) return;
    this.#stream?.write(outgoing);
  }
}
