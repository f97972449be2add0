/**
 * All attempts of this worker: what the coordinator's messages mean here. Starts attempts, passes locations on, keeps what an attempt
 * made until its report is answered and its job ends, and starts afresh when the coordinator has given this worker up.
 */
import { join } from 'node:path';
import { describeFailure } from '../../lib/attempt-failure.ts';
import type { Clock } from '../../lib/clock.ts';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import { type AttemptId, attemptKey, type JobId, type WorkerId } from '../../lib/ids.ts';
import type { Counters, JobSpec, StagedPart } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import type { Log } from '../../lib/log.ts';
import { aboutAttempt } from '../../lib/log-subject.ts';
import type {
  AttemptProgress,
  AttemptReport,
  FetchProgress,
  FetchTrouble,
  MapReport,
  PartOpened,
  WorkerUsage,
} from '../../lib/reports.ts';
import type { TicketKey, TicketKeys } from '../../lib/security/ticket.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import { mapOutputName } from '../map/map-task.ts';
import type { PeerChannels } from '../shuffle/fetch.ts';
import type { MapOutputs } from '../shuffle/outputs.ts';
import type { SlotPool } from '../user/slot-pool.ts';
import type { Assignment, JobInfo, Locations } from './convert.ts';
import { inheritScratch } from './inherit-scratch.ts';
import { keepReport } from './kept-report.ts';
import { MainProfile } from './main-profile.ts';
import { MapCopies, type MapOutput } from './map-copies.ts';
import { MemoryBudget } from './memory-budget.ts';
import { RepeatReports } from './repeat-reports.ts';
import { RunningAttempt } from './run-attempt.ts';
import { Scratch } from './scratch.ts';
import type { ScratchBudget } from './scratch-budget.ts';
import type { SessionHandlers } from './session.ts';
import { UsageMeter } from './usage.ts';

/** The way back to the coordinator. */
export interface Reports {
  /** Whether there is a coordinator now. */
  readonly isJoined: boolean;
  report(report: AttemptReport): void;
  fetchProgress(progress: FetchProgress): void;
  fetchTrouble(trouble: FetchTrouble): void;
  started(attempt: AttemptId): void;
  partOpened(opened: PartOpened): void;
  /** Of an output that was reported before. */
  mapCopied(attempt: AttemptId): void;
  log(attempt: AttemptId, atMs: number, text: string): void;
}

export interface AttemptsPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly slots: number;
  readonly pool: SlotPool;
  readonly outputs: MapOutputs;
  readonly channels: PeerChannels;
  readonly ticketKeys: TicketKeys;
  readonly stores: Stores;
  /** Of the folder under which each incarnation of this worker has its own. */
  readonly budget: ScratchBudget;
  newWorkerId(): WorkerId;
  reports(): Reports;
  /** The report of a finished (not failed) task was answered. */
  onTaskDone(): void;
}

interface Held {
  readonly attempt: RunningAttempt;
  readonly done: Promise<void>;
}

export class Attempts implements SessionHandlers {
  readonly #ports: AttemptsPorts;
  readonly #jobs = new Map<JobId, JobInfo>();
  readonly #running = new Map<string, Held>();
  readonly #unanswered = new Map<string, AttemptReport>();
  readonly #addresses = new Map<WorkerId, string>();
  readonly #fetchMemory: MemoryBudget;
  readonly #usage: UsageMeter;
  readonly #repeats: RepeatReports;
  readonly #copies: MapCopies;
  readonly #mainProfile = new MainProfile();
  readonly #replaced: readonly WorkerId[];
  #workerId: WorkerId;
  #scratch: Scratch;
  /** Deletions under way. */
  #cleaning: Promise<unknown> = Promise.resolve();

  constructor(ports: AttemptsPorts) {
    this.#ports = ports;
    this.#usage = new UsageMeter(ports.clock);
    this.#fetchMemory = new MemoryBudget(
      limits.fetchMemoryBytesDefault * ports.slots,
      limits.fetchMemoryBytesDefault,
    );
    const { clock, outputs, log, stores } = ports;
    this.#repeats = new RepeatReports({ outputs, log, report: (report) => ports.reports().report(report) });
    this.#copies = new MapCopies({ clock, stores, log, onCopied: (output) => this.#onCopied(output) });
    this.#workerId = ports.newWorkerId();
    this.#scratch = new Scratch(ports.budget, this.#workerId);
    const inherited = inheritScratch(ports.budget.directory, this.#scratch);
    this.#replaced = inherited.workers;
    for (const { attempt, path, bytes } of inherited.outputs) {
      outputs.add(attempt, path);
      this.#scratch.adoptAttempt(attempt, bytes);
    }
    if (inherited.workers.length > 0) {
      log.info(
        { worker: this.#workerId, replaced: inherited.workers, outputs: inherited.outputs.length },
        'took over what dead workers left',
      );
    }
  }

  get workerId(): WorkerId {
    return this.#workerId;
  }

  /** Cancels everything, reports nothing, and removes the scratch folder. */
  async close(): Promise<void> {
    await this.#abandon('the worker is closing');
    await this.#cleaning;
  }

  onJob(job: JobInfo): void {
    this.#jobs.set(job.spec.jobId, job);
    if (job.spec.durability === 'async') this.#copyInherited(job.spec);
  }

  onTicket(jobId: JobId, ticket: string): void {
    const job = this.#jobs.get(jobId);
    if (job) this.#jobs.set(jobId, { ...job, ticket });
  }

  onAssignment(assignment: Assignment): void {
    const id = assignment.attempt;
    const key = attemptKey(id);
    const job = this.#jobs.get(id.jobId);
    if (this.#running.has(key) || this.#unanswered.has(key)) return;
    if (!job) {
      this.#ports.log.error(
        { ...aboutAttempt(id), worker: this.#workerId },
        'an assignment of a job that was not told',
      );
      return;
    }
    failpoint('worker.assigned');
    const attempt = new RunningAttempt(assignment, job, this.#attemptPorts());
    const scratch = this.#scratch;
    const done = attempt.run().then((report) => this.#finish(report, scratch));
    this.#running.set(key, { attempt, done });
  }

  onCancel(id: AttemptId, reason: string): void {
    this.#running.get(attemptKey(id))?.attempt.cancel(reason);
  }

  onLocations({ jobId, reduces, found, lost, peers }: Locations): void {
    for (const { worker, fetchAddress } of peers) this.#addresses.set(worker, fetchAddress);
    for (const { attempt } of this.#running.values()) {
      if (attempt.id.jobId !== jobId || attempt.id.kind !== 'reduce') continue;
      const column = reduces.indexOf(attempt.id.index);
      const mine = column < 0 ? [] : found;
      attempt.locations(
        mine.map(({ digests, ...location }) => ({ ...location, digest: digests[column]! })),
        lost,
      );
    }
  }

  onAnswer(id: AttemptId, accepted: boolean): void {
    const key = attemptKey(id);
    const report = this.#unanswered.get(key);
    this.#unanswered.delete(key);
    this.#repeats.answered(id);
    if (!accepted) this.#drop(id, report);
    if (report && report.outcome.kind !== 'failed') this.#ports.onTaskDone();
  }

  onJobEnded(jobId: JobId): void {
    this.#jobs.delete(jobId);
    this.#ports.outputs.removeJob(jobId);
    this.#copies.endJob(jobId);
    const ending = [...this.#running.values()].filter(({ attempt }) => attempt.id.jobId === jobId);
    for (const { attempt } of ending) attempt.cancel('the job has ended');
    const scratch = this.#scratch;
    void this.#clean(
      Promise.all([...ending.map(({ done }) => done), this.#ports.pool.endJob(jobId)]).then(() =>
        // A new attempt of an ended job cannot come, so nothing writes there any more.
        scratch.removeJob(jobId),
      ),
    );
  }

  onRejoin(): WorkerId {
    void this.#abandon('the coordinator gave this worker up');
    this.#workerId = this.#ports.newWorkerId();
    this.#scratch = new Scratch(this.#ports.budget, this.#workerId);
    return this.#workerId;
  }

  onWelcome(ticketKey: TicketKey, isNewLead: boolean): void {
    this.#ports.ticketKeys.add(ticketKey);
    for (const { attempt } of this.#running.values()) attempt.repeat();
    for (const attempt of this.#copies.list()) this.#ports.reports().mapCopied(attempt);
    if (!isNewLead) return;
    this.#repeats.begin(this.#ports.outputs.list().filter((id) => !this.#unanswered.has(attemptKey(id))));
  }

  held(): AttemptId[] {
    const outputs = this.#ports.outputs.list();
    if (outputs.length <= limits.heldOutputsMax) return outputs;
    // Some of each job: who tells of a job hears of its end.
    const isFirst = ({ jobId }: AttemptId, at: number) => outputs[at - 1]?.jobId !== jobId;
    const firsts = outputs.filter(isFirst);
    const others = outputs.filter((id, at) => !isFirst(id, at));
    return [...firsts, ...others].slice(0, limits.heldOutputsMax);
  }

  jobs(): readonly JobId[] {
    return [...this.#jobs.keys()];
  }

  replaces(): readonly WorkerId[] {
    return this.#replaced;
  }

  isIdle(): boolean {
    return this.#running.size === 0 && this.#unanswered.size === 0 && this.#ports.outputs.list().length === 0;
  }

  progress(): AttemptProgress[] {
    return [...this.#running.values()].map(({ attempt }) => attempt.progress);
  }

  usage(): WorkerUsage {
    const { budget, log } = this.#ports;
    budget.refresh().catch((thrown) => {
      log.warn(
        { worker: this.#workerId, error: MillraceError.from(thrown).message },
        'the disk of the scratch folder does not answer',
      );
    });
    return { ...this.#usage.read(), scratchBytes: budget.usedBytes, scratchBytesMax: budget.limitBytes };
  }

  #attemptPorts() {
    const { clock, pool, outputs, channels, stores, reports } = this.#ports;
    return {
      workerId: this.#workerId,
      clock,
      pool,
      outputs,
      channels,
      stores,
      copies: this.#copies,
      mainProfile: this.#mainProfile,
      scratch: this.#scratch,
      fetchMemory: this.#fetchMemory,
      addressOf: (worker: WorkerId) => this.#addresses.get(worker),
      ticketOf: (jobId: JobId) => this.#jobs.get(jobId)?.ticket ?? '',
      isJoined: () => reports().isJoined,
      log: (attempt: AttemptId, atMs: number, text: string) => reports().log(attempt, atMs, text),
      fetchProgress: (progress: FetchProgress) => reports().fetchProgress(progress),
      fetchTrouble: (trouble: FetchTrouble) => reports().fetchTrouble(trouble),
      started: (attempt: AttemptId) => reports().started(attempt),
      partOpened: (opened: PartOpened) => reports().partOpened(opened),
    };
  }

  async #finish(report: AttemptReport, scratch: Scratch): Promise<void> {
    const key = attemptKey(report.attempt);
    const { outcome } = report;
    this.#logEnd(report);
    const keepsFiles = outcome.kind === 'map-done' && !outcome.report.part;
    // Of an incarnation that is over: nobody waits for it.
    const isAbandoned = !this.#running.has(key) || scratch !== this.#scratch;
    this.#running.delete(key);
    if (isAbandoned) {
      this.#ports.outputs.remove(report.attempt);
      return this.#clean(this.#discardParts(report));
    }
    if (keepsFiles) this.#keep(report.attempt, outcome.report, report.counters);
    else {
      this.#copies.forget(report.attempt);
      void this.#clean(scratch.removeAttempt(report.attempt));
    }
    this.#unanswered.set(key, report);
    this.#ports.reports().report(report);
    const spec = this.#jobs.get(report.attempt.jobId)?.spec;
    if (keepsFiles && spec?.durability === 'async') this.#copy(spec, { ...report, report: outcome.report });
  }

  #copy(
    spec: JobSpec,
    { attempt, report, counters }: Pick<MapOutput, 'attempt' | 'report' | 'counters'>,
  ): void {
    const path = join(this.#scratch.attemptPath(attempt), mapOutputName);
    this.#copies.begin({ spec, attempt, worker: this.#workerId, path, report, counters });
  }

  /** Outputs of a dead worker that this one goes on with may have been waiting for it. */
  #copyInherited(spec: JobSpec): void {
    const { outputs } = this.#ports;
    for (const attempt of outputs.list()) {
      if (attempt.jobId !== spec.jobId || this.#copies.has(attempt)) continue;
      const kept = this.#repeats.read(attempt);
      if (kept?.outcome.kind !== 'map-done') continue;
      const { report } = kept.outcome;
      if (report.copied) this.#copies.remember(attempt);
      else this.#copy(spec, { attempt, report, counters: kept.counters });
    }
  }

  #onCopied({ attempt, report, counters }: MapOutput): void {
    this.#keep(attempt, { ...report, copied: true }, counters);
    this.#ports.reports().mapCopied(attempt);
  }

  /** Without its report the output still serves; only another coordinator would have to have it made again. */
  #keep(attempt: AttemptId, report: MapReport, counters: Counters): void {
    this.#scratch.keepAttempt(attempt);
    try {
      keepReport(this.#scratch.attemptPath(attempt), attempt, report, counters);
    } catch (thrown) {
      const { message } = MillraceError.from(thrown);
      this.#ports.log.warn(aboutAttempt(attempt), `its report cannot be kept beside its output: ${message}`);
    }
  }

  #logEnd({ attempt, outcome }: AttemptReport): void {
    const about = { ...aboutAttempt(attempt), worker: this.#workerId };
    if (outcome.kind !== 'failed') this.#ports.log.debug(about, 'the attempt is done');
    else this.#ports.log.info(about, `the attempt failed: ${describeFailure(outcome.failure)}`);
  }

  /**
   * A report that changed nothing: what the attempt made goes. Its output first, because whoever starts on this folder next would offer it
   * again, with parts that are gone. Parts that stay are dropped with the job.
   */
  #drop(id: AttemptId, report: AttemptReport | undefined): void {
    this.#ports.outputs.remove(id);
    this.#copies.forget(id);
    const removed = this.#scratch.removeAttempt(id);
    void this.#clean(report ? removed.then(() => this.#discardParts(report)) : removed);
  }

  async #discardParts({ outcome }: AttemptReport): Promise<void> {
    const parts: (StagedPart | undefined)[] = [];
    if (outcome.kind === 'map-done') parts.push(outcome.report.part, outcome.report.bad?.part);
    if (outcome.kind === 'reduce-done') parts.push(outcome.report.part);
    for (const part of parts) {
      if (!part) continue;
      const { store, key } = this.#ports.stores.locate(part.uri);
      await store.discard({ key, token: part.token });
    }
  }

  async #abandon(reason: string): Promise<void> {
    const ending = [...this.#running.values()];
    const scratch = this.#scratch;
    this.#running.clear();
    this.#unanswered.clear();
    this.#repeats.clear();
    this.#copies.clear();
    this.#ports.outputs.removeAll();
    for (const { attempt } of ending) attempt.cancel(reason);
    await this.#clean(Promise.all(ending.map((held) => held.done)).then(() => scratch.removeAll()));
  }

  /** Deleting may fail without harm to any result; it is said, and the next start sweeps. Never rejects. */
  #clean(work: Promise<unknown>): Promise<void> {
    const logged = work.then(
      () => undefined,
      (thrown) => {
        this.#ports.log.warn(
          { worker: this.#workerId, error: MillraceError.from(thrown).message },
          'could not clean up',
        );
      },
    );
    this.#cleaning = Promise.all([this.#cleaning, logged]);
    return logged;
  }
}
