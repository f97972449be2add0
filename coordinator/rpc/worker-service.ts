/** The WorkerControl service: workers' messages become events, effects become messages on the right stream. */
import type { Clock } from '../../lib/clock.ts';
import { MillraceError } from '../../lib/errors.ts';
import { grpcStatus } from '../../lib/grpc-status.ts';
import { type AttemptId, toJobId, toWorkerId, type WorkerId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import type { Log } from '../../lib/log.ts';
import type { Diagnose } from '../../proto/gen/millrace/v1/Diagnose.ts';
import type { Hello__Output } from '../../proto/gen/millrace/v1/Hello.ts';
import type { WorkerControlHandlers } from '../../proto/gen/millrace/v1/WorkerControl.ts';
import type { WorkerMessage__Output } from '../../proto/gen/millrace/v1/WorkerMessage.ts';
import { protocolVersion } from '../../proto/load.ts';
import type { WorkerAnswer } from '../diagnose.ts';
import type { JobLogs } from '../job-logs.ts';
import type { Happening } from '../loop.ts';
import {
  attemptIdIn,
  diagnosisIn,
  fetchProgressIn,
  fetchTroubleIn,
  helloIn,
  partOpenedIn,
  progressIn,
  reportIn,
  usageIn,
} from './convert.ts';
import { WorkerOwners } from './worker-owners.ts';
import {
  type SessionSettings,
  type WorkerEffect,
  WorkerSession,
  type WorkerStream,
} from './worker-session.ts';

export interface WorkerServicePorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly jobLogs: JobLogs;
  readonly settings: SessionSettings;
  dispatch(happening: Happening): void;
  /** Whether that attempt was given to that worker and is not over. */
  runs(workerId: WorkerId, attempt: AttemptId): boolean;
  /** An answer to {@link WorkerService.diagnose}. */
  onDiagnosis(workerId: WorkerId, answer: WorkerAnswer): void;
}

export class WorkerService {
  readonly #ports: WorkerServicePorts;
  readonly #sessions = new Map<WorkerId, WorkerSession>();
  readonly #owners = new WorkerOwners((workerId) => this.#sessions.has(workerId));

  constructor(ports: WorkerServicePorts) {
    this.#ports = ports;
  }

  readonly handlers: WorkerControlHandlers = { Session: (stream) => this.#serve(stream) };

  /** A worker without a stream gets nothing; its next hello, or its lease, makes that good. */
  send(effect: WorkerEffect): void {
    this.#sessions.get(effect.workerId)?.send(effect);
  }

  /** A worker without a stream does not answer. */
  diagnose(workerId: WorkerId, request: Diagnose): void {
    this.#sessions.get(workerId)?.diagnose(request);
  }

  endAll(): void {
    for (const session of this.#sessions.values()) session.end();
  }

  #serve(stream: WorkerStream): void {
    let session: WorkerSession | undefined;
    let isRefused = false;
    const refuse = (reason: string) => {
      isRefused = true;
      this.#refuse(stream, reason);
    };
    const helloMs = limits.helloMsMax;
    const stopWaiting = this.#ports.clock.after(helloMs, () =>
      refuse(`no hello came within ${helloMs / 1_000} s`),
    );
    stream.on('data', (message: WorkerMessage__Output) => {
      stopWaiting();
      // What was under way when it was refused counts no more.
      if (isRefused) return;
      try {
        if (!session) session = this.#open(stream, message.hello);
        else if (this.#sessions.get(session.workerId) === session) this.#receive(session.workerId, message);
        else {
          // A hello that was long under way took the place of a stream that the worker opened later and still talks on: it would get
          // no more messages. Ended, it says hello again; whatever it reported comes again, too.
          isRefused = true;
          stream.end();
        }
      } catch (thrown) {
        const error = MillraceError.from(thrown);
        if (error.code !== 'unavailable') return refuse(error.message);
        // A refusal ends the worker; from a coordinator that does not lead it must only go elsewhere.
        isRefused = true;
        stream.emit('error', grpcStatus(error));
      }
    });
    // A dead peer looks like a half-close first, so an end says nothing; it only must be answered.
    stream.on('end', () => stream.end());
    stream.on('error', (error) =>
      this.#ports.log.debug({ worker: session?.workerId, error: error.message }, 'stream error'),
    );
    let closed = false;
    const close = () => {
      stopWaiting();
      session?.close();
      if (closed || !session || this.#sessions.get(session.workerId) !== session) return;
      closed = true;
      this.#sessions.delete(session.workerId);
      this.#ports.dispatch({ type: 'worker-disconnected', workerId: session.workerId });
    };
    stream.on('close', close);
    stream.on('cancelled', close);
  }

  #open(stream: WorkerStream, hello: Hello__Output | null): WorkerSession {
    if (!hello) throw new MillraceError('invalid-argument', 'the first message of a session must be a hello');
    if (hello.protocolVersion !== protocolVersion) {
      throw new MillraceError(
        'invalid-argument',
        `the worker speaks protocol ${hello.protocolVersion} (millrace ${hello.softwareVersion}), this coordinator ` +
          `protocol ${protocolVersion}: run the same version on both`,
      );
    }
    const { clock, settings } = this.#ports;
    if (hello.epochSeen > settings.epoch) throw deposed(hello.epochSeen, settings.epoch);
    const worker = helloIn(hello);
    const running = hello.running.map(attemptIdIn);
    const held = hello.held.map(attemptIdIn);
    const replaces = hello.replaces.map(toWorkerId);
    const jobs = hello.jobIds.map(toJobId);
    const owner = {
      pid: hello.pid,
      fingerprint: stream.getAuthContext().sslPeerCertificate?.fingerprint256 ?? '',
    };
    this.#owners.checkReplaces(replaces, owner);
    this.#owners.claim(worker.workerId, owner);
    const session = new WorkerSession(worker.workerId, stream, clock, settings);
    this.#sessions.set(worker.workerId, session);
    this.#ports.dispatch({ type: 'worker-joined', worker, running, held, replaces, jobs });
    return session;
  }

  #receive(workerId: WorkerId, message: WorkerMessage__Output): void {
    const { dispatch, runs, jobLogs } = this.#ports;
    if (message.heartbeat) {
      const attempts = message.heartbeat.attempts.map(progressIn);
      dispatch({ type: 'worker-heartbeat', workerId, attempts, usage: usageIn(message.heartbeat) });
    }
    for (const line of message.logLines) {
      const attempt = attemptIdIn(line.attempt);
      if (runs(workerId, attempt)) jobLogs.append(attempt.jobId, attempt, line.atMs, line.text);
    }
    for (const progress of message.fetchProgress) {
      dispatch({ type: 'fetch-progressed', workerId, progress: fetchProgressIn(progress) });
    }
    for (const trouble of message.fetchTroubles) {
      dispatch({ type: 'fetch-troubled', workerId, trouble: fetchTroubleIn(trouble) });
    }
    if (message.started.length > 0) {
      dispatch({ type: 'attempts-started', workerId, attempts: message.started.map(attemptIdIn) });
    }
    // Before reports: a report may be of the part that was opened in the same message.
    for (const opened of message.partsOpened) {
      dispatch({ type: 'part-opened', workerId, opened: partOpenedIn(opened) });
    }
    for (const report of message.reports) {
      dispatch({ type: 'attempt-reported', workerId, report: reportIn(report) });
    }
    // After them: what was reported in the same message may be copied already.
    if (message.mapsCopied.length > 0) {
      dispatch({ type: 'maps-copied', workerId, attempts: message.mapsCopied.map(attemptIdIn) });
    }
    if (message.diagnosis) this.#ports.onDiagnosis(workerId, diagnosisIn(message.diagnosis));
    if (message.draining) dispatch({ type: 'worker-draining', workerId });
    if (message.goodbye) dispatch({ type: 'worker-left', workerId });
  }

  #refuse(stream: WorkerStream, reason: string): void {
    this.#ports.log.warn({ reason }, 'a worker was refused');
    stream.write({ refused: reason });
    stream.end();
  }
}

function deposed(epochSeen: number, epoch: number): MillraceError {
  return new MillraceError(
    'unavailable',
    `this coordinator is of epoch ${epoch}, and the worker has obeyed one of epoch ${epochSeen}: ` +
      'another one leads, or the store (--store) is not the one it was; then restart the worker',
  );
}
