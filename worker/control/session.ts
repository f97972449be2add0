/**
 * The worker's end of the session with the coordinator that leads: hello, heartbeats, batched messages both ways, and coming back
 * after a break, to the next coordinator it was told of. Runs on the main thread, where no user code runs, so a busy task never looks
 * like a dead worker.
 *
 *   connecting -> (stream open, hello sent) -> joined (welcome came) -> closed
 *        ^------------- backoff, when the stream breaks ----'
 *
 * A report is kept until the coordinator answers it, and sent again after each reconnect: it is never lost, only late. A coordinator of
 * a lower epoch than one that was obeyed before is deposed and may not know it: it is left at once.
 */
import { hostname } from 'node:os';
import { type ClientDuplexStream, status } from '@grpc/grpc-js';
import { parseAddresses } from '../../lib/address.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Finding } from '../../lib/diagnosis.ts';
import { type ErrorCode, MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
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
import type { Credentials } from '../../lib/security/credentials.ts';
import type { TicketKey } from '../../lib/security/ticket.ts';
import type { CoordinatorMessage__Output } from '../../proto/gen/millrace/v1/CoordinatorMessage.ts';
import type { Welcome__Output } from '../../proto/gen/millrace/v1/Welcome.ts';
import type { WorkerMessage } from '../../proto/gen/millrace/v1/WorkerMessage.ts';
import { protocolVersion } from '../../proto/load.ts';
import {
  type Assignment,
  assignmentIn,
  attemptIdIn,
  attemptIdOut,
  diagnoseIn,
  heartbeatOut,
  type JobInfo,
  jobInfoIn,
  type Locations,
  locationsIn,
} from './convert.ts';
import { Coordinators, type OpenClient, openGrpcClient } from './coordinators.ts';
import type { DiagnoseRequest } from './diagnose.ts';
import { Outbox } from './outbox.ts';

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
   * A stream is up, or up again: say again what went down with the last one (fetch progress). `ticketKey` is that of the coordinator's
   * fetch tickets. `isNewLead`: no coordinator of this epoch has welcomed this process before.
   */
  onWelcome(ticketKey: TicketKey, isNewLead: boolean): void;
  /** For hellos: map outputs on this worker's disk, and the dead workers whose scratch folder it took over. */
  held(): AttemptId[];
  replaces(): readonly WorkerId[];
  /** For hellos: those of which there is anything here. */
  jobs(): readonly JobId[];
  /** Nothing runs here, nothing waits for an answer, and there is nothing that anybody could fetch. */
  isIdle(): boolean;
  /** For heartbeats and hellos. */
  progress(): AttemptProgress[];
  usage(): WorkerUsage;
}

export interface SessionOptions {
  /** HOST:PORT, or several with commas; one of them leads. */
  readonly coordinator: string;
  readonly credentials: Credentials;
  readonly workerId: WorkerId;
  readonly slots: number;
  /** HOST:PORT where peers fetch. */
  readonly fetchAddress: string;
  /** A digest of host and scratch folder: by it the coordinator knows a worker that died and was started again, on its disk or without it. */
  readonly home: string;
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
  readonly openClient?: OpenClient;
}

const goodbyeTimeoutMs = 1_000;
/** To come back with the same credentials would change nothing. */
const refusals: ReadonlyMap<status, ErrorCode> = new Map([
  [status.UNAUTHENTICATED, 'unauthenticated'],
  [status.PERMISSION_DENIED, 'permission-denied'],
]);

export class Session {
  readonly #options: SessionOptions;
  readonly #coordinators: Coordinators;
  readonly #outbox: Outbox;
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
  /** On this stream it was told that nothing needs this worker any more. */
  #isReleased = false;
  /** The highest of the coordinators that welcomed this process. */
  #epochSeen = 0;
  #cancelHeartbeat: (() => void) | undefined;
  #cancelReconnect: (() => void) | undefined;
  #cancelWelcomeWait: (() => void) | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#workerId = options.workerId;
    this.#startedMs = options.clock.monotonicMs();
    this.#joined.promise.catch(() => undefined);
    this.#ended.promise.catch(() => undefined);
    const { coordinator, credentials, openClient = openGrpcClient } = options;
    const addresses = parseAddresses(coordinator, '--coordinator (MILLRACE_COORDINATOR)');
    this.#coordinators = new Coordinators(addresses, (address) => openClient(address, credentials));
    this.#outbox = new Outbox(options.clock, (message) => this.#stream?.write(message));
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
    failpoint('report.before');
    this.#unanswered.set(attemptKey(report.attempt), report);
    this.#outbox.report(report);
    failpoint('report.said');
  }

  fetchProgress(progress: FetchProgress): void {
    this.#outbox.fetchProgress(progress);
  }

  started(attempt: AttemptId): void {
    this.#outbox.started(attempt);
  }

  partOpened(opened: PartOpened): void {
    this.#outbox.partOpened(opened);
  }

  fetchTrouble(trouble: FetchTrouble): void {
    this.#outbox.fetchTrouble(trouble);
  }

  mapCopied(attempt: AttemptId): void {
    this.#outbox.mapCopied(attempt);
  }

  log(attempt: AttemptId, atMs: number, text: string): void {
    this.#outbox.log(attempt, atMs, text);
  }

  /** Whether a coordinator leads this worker now. */
  get isJoined(): boolean {
    return this.#isJoined;
  }

  /**
   * Tells the coordinator that this worker is to leave: it is given nothing new, and ends by itself when nothing needs it any more. Without
   * a coordinator to say so, that is when it is idle.
   */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#tellServing();
    this.#outbox.flush();
    if (this.#isJoined) this.#sayDraining();
    else if (this.#mayLeaveUnsaid()) this.#finish();
  }

  #sayDraining(): void {
    if (!this.#draining || this.#saidDraining) return;
    this.#saidDraining = true;
    this.#stream?.write({ draining: true });
    failpoint('drain.said');
  }

  #mayLeaveUnsaid(): boolean {
    return this.#draining && (!this.#everJoined || this.#options.handlers.isIdle());
  }

  /** Says goodbye if it can, and ends. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const stream = this.#stream;
    if (stream && this.#isJoined) {
      this.#outbox.flush();
      stream.write({ goodbye: true });
      failpoint('drain.goodbye');
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
    this.#part();
    this.#cancelReconnect?.();
    this.#stream?.cancel();
    this.#coordinators.close();
    if (error) {
      this.#joined.reject(error);
      this.#ended.reject(error);
    } else {
      this.#joined.resolve();
      this.#ended.resolve();
    }
  }

  #connect(): void {
    const { handlers, slots, fetchAddress, home, softwareVersion } = this.#options;
    const stream = this.#coordinators.client.session();
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
    this.#isReleased = false;
    this.#cancelWelcomeWait = this.#options.clock.after(limits.welcomeTimeoutMs, () => this.#leaveSilent());
    failpoint('worker.hello-before');
    stream.write({
      hello: {
        workerId: this.#workerId,
        protocolVersion,
        softwareVersion,
        host: hostname(),
        fetchAddress,
        home,
        slots,
        pid: process.pid,
        draining: this.#draining,
        running: this.#running(handlers.progress()),
        held: handlers.held().map(attemptIdOut),
        replaces: [...handlers.replaces()],
        jobIds: [...handlers.jobs()],
        epochSeen: this.#epochSeen,
      },
    });
    failpoint('worker.hello-after');
  }

  /** What runs, and what has ended but is not answered yet: the coordinator must not take either for lost. */
  #running(progress: AttemptProgress[]) {
    const running = new Map(progress.map(({ attempt }) => [attemptKey(attempt), attempt]));
    for (const [key, { attempt, again }] of this.#unanswered) if (!again) running.set(key, attempt);
    return [...running.values()].map(attemptIdOut);
  }

  #broken(stream: Stream, code: status, details: string): void {
    if (stream !== this.#stream || this.#closed) return;
    const refusal = refusals.get(code);
    if (refusal) {
      const message = `the coordinator at ${this.#coordinators.address} refused this worker: ${details}`;
      this.#finish(new MillraceError(refusal, message));
    } else this.#lost(details);
  }

  #lost(details: string): void {
    this.#part();
    if (this.#mayLeaveUnsaid()) this.#finish();
    else if (this.#isTooLate()) {
      const message = `no coordinator answers at ${this.#coordinators.all} (--coordinator, MILLRACE_COORDINATOR): ${details}`;
      this.#finish(new MillraceError('unavailable', message));
    } else this.#connectNext(details);
  }

  /** One that stands still is connected to all the same, and neither a connection nor a stream has a deadline of its own. */
  #leaveSilent(): void {
    this.#dropStream();
    this.#lost(`no answer within ${limits.welcomeTimeoutMs / 1000} s`);
  }

  /** What still comes on it is nobody's. */
  #dropStream(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
  }

  /** No coordinator leads this worker any more. */
  #part(): void {
    this.#isJoined = false;
    this.#cancelWelcomeWait?.();
    this.#outbox.close();
    this.#tellServing();
    this.#cancelHeartbeat?.();
  }

  #isTooLate(): boolean {
    const { clock, joinTimeoutMs } = this.#options;
    const lastsMs = clock.monotonicMs() - this.#startedMs;
    return !this.#everJoined && joinTimeoutMs > 0 && lastsMs > joinTimeoutMs;
  }

  #connectNext(details: string): void {
    const { clock, log } = this.#options;
    const { address: coordinator } = this.#coordinators;
    const waitMs = this.#coordinators.failed();
    log.info(
      { worker: this.#workerId, coordinator, details, waitMs, next: this.#coordinators.address },
      'the coordinator is out of reach, trying again',
    );
    // Half of it is jitter, so that a thousand workers do not come back in one instant.
    this.#cancelReconnect = clock.after(waitMs * (0.5 + Math.random() / 2), () => this.#connect());
  }

  #receive(message: CoordinatorMessage__Output): void {
    if (message.refused) throw new MillraceError('invalid-argument', message.refused);
    if (message.welcome) {
      if (message.welcome.epoch < this.#epochSeen) return this.#leaveDeposed(message.welcome.epoch);
      this.#welcome(message.welcome);
    }
    // Meant for the stream before this one: the welcome answers what this worker says of itself now.
    if (!this.#isJoined) return;
    if (message.rejoin) return this.#rejoin();
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
    if (message.drained && this.#draining) this.#isReleased = true;
    // What an attempt has staged and nobody wants is dropped when its report is answered, and by nobody else.
    if (this.#isReleased && this.#unanswered.size === 0) void this.close();
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
    failpoint('report.answered');
    this.#options.handlers.onAnswer(attempt, accepted);
  }

  #welcome({ heartbeatIntervalMs, ticketKey: publicKey, ticketClockMs, epoch }: Welcome__Output): void {
    failpoint('worker.welcomed');
    const isNewLead = epoch > this.#epochSeen;
    this.#cancelWelcomeWait?.();
    this.#epochSeen = epoch;
    this.#coordinators.succeeded();
    this.#isJoined = true;
    this.#everJoined = true;
    this.#tellServing();
    this.#joined.resolve();
    this.#outbox.open();
    for (const report of this.#unanswered.values()) this.#outbox.report(report);
    this.#options.handlers.onWelcome({ publicKey, nowMs: ticketClockMs }, isNewLead);
    this.#outbox.flush();
    this.#sayDraining();
    this.#beat(heartbeatIntervalMs);
  }

  /** What it decided since another one took the lead is not to be obeyed; it will find out by itself. */
  #leaveDeposed(epoch: number): void {
    const { address: coordinator } = this.#coordinators;
    this.#options.log.warn(
      { worker: this.#workerId, coordinator, epoch, epochSeen: this.#epochSeen },
      'left a coordinator that led before the last one (if its store was replaced, restart this worker)',
    );
    this.#dropStream();
    this.#part();
    this.#connectNext(`epoch ${epoch} is over`);
  }

  #rejoin(): void {
    this.#options.log.warn(
      { worker: this.#workerId },
      'the coordinator held this worker for dead: starting afresh',
    );
    this.#part();
    this.#unanswered.clear();
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
}
