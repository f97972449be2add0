/**
 * The coordinator's end of one worker's stream. What is to be sent gathers for a few milliseconds, or until there is
 * enough of it, and goes as one message: at thousands of tasks a second the stream carries batches, not calls.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Clock } from '../../lib/clock.ts';
import type { JobId, WorkerId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import type { TicketIssuer } from '../../lib/security/ticket.ts';
import type { CoordinatorMessage } from '../../proto/gen/millrace/v1/CoordinatorMessage.ts';
import type { Diagnose } from '../../proto/gen/millrace/v1/Diagnose.ts';
import type { WorkerMessage__Output } from '../../proto/gen/millrace/v1/WorkerMessage.ts';
import type { Effect, JobInfo } from '../core/effects.ts';
import { assignmentOut, attemptIdOut, locationsOut, locationsPerMessage } from './convert.ts';
import { joinLocations } from './join-locations.ts';

export type WorkerStream = ServerDuplexStream<WorkerMessage__Output, CoordinatorMessage>;

/** Effects that are messages to one worker. */
export type WorkerEffect = Extract<Effect, { workerId: WorkerId }>;

const flushAfterMs = 2;
const flushAtWeight = 64;
/** The issuer's tickets are good for half a lifetime at least, so none runs out before the next. */
const renewAfterMs = limits.ticketLifetimeMs / 4;

type Batch = {
  [Field in
    | 'jobs'
    | 'tickets'
    | 'assignments'
    | 'cancels'
    | 'locations'
    | 'answers'
    | 'jobsEnded']-?: NonNullable<CoordinatorMessage[Field]>;
};

function emptyBatch(): Batch {
  return { jobs: [], tickets: [], assignments: [], cancels: [], locations: [], answers: [], jobsEnded: [] };
}

export interface SessionSettings {
  readonly epoch: number;
  readonly heartbeatIntervalMs: number;
  readonly tickets: TicketIssuer;
}

export class WorkerSession {
  readonly workerId: WorkerId;
  readonly #stream: WorkerStream;
  readonly #clock: Clock;
  readonly #settings: SessionSettings;
  readonly #sentJobs = new Map<JobId, JobInfo>();
  /** Jobs whose tickets it needs: those told here, and those it ran already when it came back. */
  readonly #ticketJobs = new Set<JobId>();
  #batch = emptyBatch();
  #weight = 0;
  #isWelcomed = false;
  #cancelFlush: (() => void) | undefined;
  #cancelRenewal: (() => void) | undefined;

  constructor(workerId: WorkerId, stream: WorkerStream, clock: Clock, settings: SessionSettings) {
    this.workerId = workerId;
    this.#stream = stream;
    this.#clock = clock;
    this.#settings = settings;
  }

  send(effect: WorkerEffect): void {
    // Decided before the hello of this stream was heard, so lost with the stream before it, as far as the core knows.
    if (!this.#isWelcomed && effect.type !== 'send-welcome') return;
    switch (effect.type) {
      case 'send-welcome': {
        this.#isWelcomed = true;
        const { epoch, heartbeatIntervalMs, tickets } = this.#settings;
        const { publicKey: ticketKey, nowMs: ticketClockMs } = tickets.key;
        this.#write({ welcome: { epoch, heartbeatIntervalMs, ticketKey, ticketClockMs } });
        for (const jobId of effect.jobs) this.#ticketJobs.add(jobId);
        return this.#renewTickets();
      }
      case 'send-rejoin':
        return this.#write({ rejoin: true });
      case 'send-assignment':
        return this.#assign(effect);
      case 'send-cancel':
        this.#batch.cancels.push({ attempt: attemptIdOut(effect.attempt), reason: effect.reason });
        return this.#grow(1);
      case 'send-locations': {
        const [first, ...rest] = locationsOut(effect);
        const isJoined = joinLocations(
          this.#batch.locations.at(-1),
          first!,
          locationsPerMessage(effect.reduces.length),
        );
        if (!isJoined) this.#batch.locations.push(first!);
        this.#grow((isJoined ? 0 : 1) + first!.found!.length / 64);
        // A snapshot too large for one message: each part is a message of its own.
        for (const locations of rest) {
          this.flush();
          this.#batch.locations.push(locations);
          this.#grow(flushAtWeight);
        }
        return;
      }
      case 'send-answer':
        this.#batch.answers.push({ attempt: attemptIdOut(effect.attempt), accepted: effect.accepted });
        return this.#grow(1);
      case 'send-job-ended':
        this.#sentJobs.delete(effect.jobId);
        this.#ticketJobs.delete(effect.jobId);
        this.#batch.jobsEnded.push(effect.jobId);
        return this.#grow(1);
      case 'send-drain':
        this.flush();
        return this.#write({ drain: true });
      case 'send-drained':
        this.flush();
        return this.#write({ drained: true });
    }
  }

  /** Not an effect of the core: an operator asked. */
  diagnose(request: Diagnose): void {
    this.#write({ diagnose: request });
  }

  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    if (this.#weight === 0) return;
    const batch = this.#batch;
    this.#batch = emptyBatch();
    this.#weight = 0;
    this.#write(batch);
  }

  /** Ends the stream from this side; the worker sees a normal end and comes back if it wants to. */
  end(): void {
    this.flush();
    this.close();
    this.#stream.end();
  }

  #assign(effect: Extract<Effect, { type: 'send-assignment' }>): void {
    const { jobId } = effect.attempt;
    if (this.#sentJobs.get(jobId) !== effect.job) {
      this.#sentJobs.set(jobId, effect.job);
      const { spec, cutPoints } = effect.job;
      const ticket = this.#settings.tickets.ticketOf(jobId);
      this.#ticketJobs.add(jobId);
      this.#cancelRenewal ??= this.#clock.after(renewAfterMs, () => this.#renewTickets());
      this.#batch.jobs.push({
        jobId,
        specJson: JSON.stringify(spec),
        cutPoints: cutPoints.map(Buffer.from),
        ticket,
      });
    }
    this.#batch.assignments.push(assignmentOut(effect.attempt, effect.input));
    this.#grow(1 + (effect.input.kind === 'reduce' ? 0 : effect.input.split.pieces.length / 32));
  }

  /** A job may outlive its ticket, and the key of the coordinator that signed it: fresh ones, while there is any job. */
  #renewTickets(): void {
    this.#cancelRenewal?.();
    this.#cancelRenewal = undefined;
    if (this.#ticketJobs.size === 0) return;
    const { tickets } = this.#settings;
    for (const jobId of this.#ticketJobs) {
      this.#batch.tickets.push({ jobId, ticket: tickets.ticketOf(jobId) });
      this.#grow(1);
    }
    this.#cancelRenewal = this.#clock.after(renewAfterMs, () => this.#renewTickets());
  }

  /** Its stream is gone: nothing of it may be sent any more. */
  close(): void {
    this.#cancelFlush?.();
    this.#cancelRenewal?.();
  }

  #grow(weight: number): void {
    this.#weight += weight;
    if (this.#weight >= flushAtWeight) this.flush();
    else this.#cancelFlush ??= this.#clock.after(flushAfterMs, () => this.flush());
  }

  #write(message: CoordinatorMessage): void {
    if (this.#stream.writable && !this.#stream.cancelled) this.#stream.write(message);
  }
}
