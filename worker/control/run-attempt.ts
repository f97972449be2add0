/**
 * One attempt on this worker, from its assignment to its one report:
 *
 *   sample, map:  waiting -> sample | map -> report
 *   reduce:       fetch (no slot) -> ready (all input held, waits for a slot) -> reduce -> report
 *
 * Whatever happens becomes a report; nothing here throws.
 */
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import type { Clock } from '../../lib/clock.ts';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import type { AttemptId, JobId, WorkerId } from '../../lib/ids.ts';
import type { Counters, JobSpec, OpenPart } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import { addProfiles } from '../../lib/profile.ts';
import type {
  AttemptOutcome,
  AttemptPhase,
  AttemptProgress,
  AttemptReport,
  FetchProgress,
  FetchTrouble,
  MapReport,
  PartOpened,
} from '../../lib/reports.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import { FetchInputs, type SegmentLocation } from '../reduce/fetch-inputs.ts';
import { isWorthReplaying, keepInputs } from '../reduce/keep-inputs.ts';
import type { SegmentOrigin } from '../reduce/reduce-task.ts';
import type { PeerChannels } from '../shuffle/fetch.ts';
import type { MapOutputs } from '../shuffle/outputs.ts';
import { readCopiedSegment } from '../shuffle/read-copy.ts';
import type { SegmentSource } from '../shuffle/segment-reader.ts';
import { SegmentStore } from '../shuffle/segment-store.ts';
import { createProgress, type Progress } from '../user/progress.ts';
import type { TaskEnd } from '../user/run-task.ts';
import type { SlotRun } from '../user/slot.ts';
import type { SlotResult, SlotTask } from '../user/slot-messages.ts';
import type { PoolTicket, SlotPool } from '../user/slot-pool.ts';
import { classifyFailure } from '../user/task-failure.ts';
import type { Assignment, JobInfo } from './convert.ts';
import type { MainProfile } from './main-profile.ts';
import type { MapCopies } from './map-copies.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { Scratch } from './scratch.ts';
import type { ScratchAccount } from './scratch-account.ts';

export interface AttemptPorts {
  readonly workerId: WorkerId;
  readonly clock: Clock;
  readonly pool: SlotPool;
  readonly outputs: MapOutputs;
  readonly channels: PeerChannels;
  readonly stores: Stores;
  readonly copies: MapCopies;
  readonly mainProfile: MainProfile;
  readonly scratch: Scratch;
  readonly fetchMemory: MemoryBudget;
  addressOf(worker: WorkerId): string | undefined;
  ticketOf(jobId: JobId): string;
  /** Whether there is a coordinator now. */
  isJoined(): boolean;
  log(attempt: AttemptId, atMs: number, text: string): void;
  fetchProgress(progress: FetchProgress): void;
  fetchTrouble(trouble: FetchTrouble): void;
  started(attempt: AttemptId): void;
  partOpened(opened: PartOpened): void;
}

export class RunningAttempt {
  readonly id: AttemptId;
  readonly #assignment: Assignment;
  readonly #job: JobInfo;
  readonly #ports: AttemptPorts;
  readonly #abort = new AbortController();
  #phase: AttemptPhase;
  #progress: Progress = createProgress();
  #inputs: FetchInputs | undefined;
  /** By place. */
  readonly #openParts = new Map<string, OpenPart>();
  #account: ScratchAccount | undefined;
  /** By map: the digest of what is held of it. */
  readonly #held = new Map<number, number>();
  readonly #origins: SegmentOrigin[] = [];
  #allHeld = false;
  #fetchStartedMs: number | undefined;
  #fetchMs = 0;

  constructor(assignment: Assignment, job: JobInfo, ports: AttemptPorts) {
    this.id = assignment.attempt;
    this.#assignment = assignment;
    this.#job = job;
    this.#ports = ports;
    this.#phase = assignment.kind === 'reduce' ? 'fetch' : 'waiting';
  }

  get progress(): AttemptProgress {
    const [recordsIn = 0, bytesIn = 0, recordsOut = 0, bytesOut = 0] = this.#progress;
    return { attempt: this.id, phase: this.#phase, recordsIn, bytesIn, recordsOut, bytesOut };
  }

  /** Runs to the end and gives its report; for a cancelled attempt too. The folder of the attempt stays for the caller to remove. */
  async run(): Promise<AttemptReport> {
    try {
      const { end, counters, profile } = await this.#runProfiled();
      const outcome = end.kind === 'failed' ? end : await this.#outcomeOf(end.result, counters);
      return { attempt: this.id, outcome, counters, profile };
    } catch (thrown) {
      return { attempt: this.id, outcome: { kind: 'failed', failure: this.#classify(thrown) }, counters: {} };
    } finally {
      this.#account?.enter('ending');
    }
  }

  cancel(reason: string): void {
    this.#abort.abort(new MillraceError('cancelled', reason));
    this.#inputs?.cancel();
  }

  /** Only for reduces that fetch; `found` for this reduce's partition. */
  locations(found: readonly SegmentLocation[], lost: readonly number[]): void {
    if (!this.#inputs || this.#allHeld) return;
    if (found.length > 0) this.#fetchStartedMs ??= this.#ports.clock.monotonicMs();
    const self = this.#ports.workerId;
    for (const { map, attempt, worker } of found) {
      if (this.#held.has(map)) continue;
      this.#origins[map] = { mapAttempt: attempt, worker: self, isCopy: worker !== self };
    }
    this.#inputs.lost(lost);
    this.#inputs.found(found);
  }

  /** After a reconnect: the coordinator may have lost what was said. */
  repeat(): void {
    for (const part of [...this.#openParts.values()]) this.#onPartOpened(part);
    if (this.#inputs) {
      this.#sayHeld([...this.#held.keys()]);
    }
  }

  async #runProfiled(): Promise<TaskEnd> {
    if (!this.#job.spec.profile) return this.#runKind();
    const { mainProfile } = this.#ports;
    const begun = mainProfile.begin();
    // At once: locations that come before a reduce fetches would be lost.
    const [ended] = await Promise.allSettled([this.#runKind(), begun]);
    const ofMain = mainProfile.end();
    if (ended.status === 'rejected') throw ended.reason;
    return { ...ended.value, profile: addProfiles(ended.value.profile, ofMain) };
  }

  async #runKind(): Promise<TaskEnd> {
    const { spec, cutPoints } = this.#job;
    const { scratch } = this.#ports;
    const bundleDirectory = scratch.jobPath(this.id.jobId);
    const { path: directory, account } = scratch.makeAttempt(this.id);
    this.#account = account;
    const common = { spec, attempt: this.id, directory, bundleDirectory, scratch: account.share };
    const assignment = this.#assignment;
    switch (assignment.kind) {
      case 'map':
        await account.untilRoom(this.#abort.signal);
        return this.#runInSlot({ ...common, kind: 'map', split: assignment.split, cutPoints });
      case 'sample': {
        const { split, keysMax } = assignment;
        return this.#runInSlot({ ...common, kind: 'sample', split, keysMax });
      }
      case 'reduce':
        return this.#runReduce(common, assignment.maps, account);
    }
  }

  async #runReduce(
    common: Pick<SlotTask, 'spec' | 'attempt' | 'directory' | 'bundleDirectory' | 'scratch'>,
    maps: number,
    account: ScratchAccount,
  ): Promise<TaskEnd> {
    const { fetchMemory, clock, outputs, channels, stores, workerId } = this.#ports;
    const memoryBytes = fetchMemory.take();
    account.enter('fetching');
    const { signal } = this.#abort;
    const store = new SegmentStore(`${common.directory}/fetched.segments`, memoryBytes, (bytes) =>
      account.take(bytes, signal),
    );
    try {
      this.#inputs = new FetchInputs({
        attempt: this.id,
        maps,
        reducers: common.spec.reducers,
        self: workerId,
        outputs,
        channels,
        store,
        clock,
        addressOf: (worker) => this.#ports.addressOf(worker),
        ticket: () => this.#ports.ticketOf(this.id.jobId),
        isJoined: () => this.#ports.isJoined(),
        readCopy: (wanted) => readCopiedSegment({ ...wanted, stores, spec: common.spec, segments: store }),
        onHeld: (map, digest) => this.#onHeld(map, digest),
        onTrouble: (trouble) => this.#ports.fetchTrouble(trouble),
      });
      if (this.#abort.signal.aborted) this.#inputs.cancel();
      const sources = await this.#inputs.complete;
      failpoint('fetch.complete');
      this.#allHeld = true;
      this.#fetchMs = Math.round(clock.monotonicMs() - (this.#fetchStartedMs ?? clock.monotonicMs()));
      this.#phase = 'ready';
      this.#sayHeld([]);
      const end = await this.#runInSlot({ ...common, kind: 'reduce', maps, sources, origins: this.#origins });
      await this.#keepInputs(end, common.spec, sources);
      return end;
    } finally {
      await store.discard();
      fetchMemory.give(memoryBytes);
    }
  }

  /** Without it the attempt has failed all the same: it only cannot be replayed, and its log says why. */
  async #keepInputs({ end }: TaskEnd, spec: JobSpec, sources: readonly SegmentSource[]): Promise<void> {
    if (end.kind !== 'failed' || !isWorthReplaying(end.failure)) return;
    const { clock, stores, log } = this.#ports;
    const late = new AbortController();
    const stopped = Promise.withResolvers<never>();
    const stop = (reason: unknown) => {
      late.abort(reason);
      stopped.reject(reason);
    };
    const cancel = () => stop(this.#abort.signal.reason);
    const stopClock = clock.after(limits.keepInputMsMax, () =>
      stop(new MillraceError('timeout', `the store took longer than ${limits.keepInputMsMax / 1_000} s`)),
    );
    this.#abort.signal.addEventListener('abort', cancel);
    try {
      const keeping = keepInputs({ spec, attempt: this.id, sources, stores, signal: late.signal });
      await Promise.race([keeping, stopped.promise]);
    } catch (thrown) {
      const { message } = MillraceError.from(thrown);
      log(this.id, clock.now(), `its input was not kept, so it cannot be replayed: ${message}`);
    } finally {
      stopClock();
      this.#abort.signal.removeEventListener('abort', cancel);
    }
  }

  #onHeld(map: number, digest: number): void {
    this.#held.set(map, digest);
    this.#sayHeld([map]);
  }

  #sayHeld(maps: readonly number[]): void {
    const digests = maps.map((map) => this.#held.get(map)!);
    this.#ports.fetchProgress({ attempt: this.id, maps, digests, complete: this.#allHeld });
  }

  #onPartOpened(part: OpenPart): void {
    failpoint('part.told');
    this.#openParts.set(part.uri, part);
    this.#ports.partOpened({ attempt: this.id, part });
  }

  #runInSlot(task: SlotTask): Promise<TaskEnd> {
    const { signal } = this.#abort;
    return new Promise((resolve, reject) => {
      let ticket: PoolTicket | undefined;
      let run: SlotRun | undefined;
      const onCancel = () => {
        const { message } = MillraceError.from(signal.reason, 'cancelled');
        if (run) run.cancel(message);
        else if (ticket?.withdraw()) reject(signal.reason);
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', onCancel);
      const listener = {
        onLog: (atMs: number, text: string) => this.#ports.log(this.id, atMs, text),
        onPartOpened: (part: OpenPart) => this.#onPartOpened(part),
      };
      ticket = this.#ports.pool.submit(task, listener, (started) => {
        run = started;
        this.#phase = task.kind;
        this.#ports.started(this.id);
        this.#account?.enter('running');
        this.#progress = started.progress;
        started.ended.then(resolve);
      });
      // While it waits for a slot nothing here will come of it by itself.
      if (!run) this.#account?.enter('idle');
    });
  }

  async #outcomeOf(result: SlotResult, counters: Counters): Promise<AttemptOutcome> {
    switch (result.kind) {
      case 'sample':
        return { kind: 'sample-done', keys: result.keys };
      case 'map': {
        const { inputRecords, inputBytes, segments, part, runPath, spills, spillBytes, bad } = result;
        const sums = { inputRecords, inputBytes, spills, spillBytes };
        const report: MapReport = { ...sums, segments, part, bad };
        if (runPath === undefined) return { kind: 'map-done', report };
        const copied = this.#job.spec.durability === 'sync';
        if (copied) await this.#copy(runPath, report, counters);
        // Served from now on: the coordinator may tell of it the moment the report is there.
        failpoint('output.before');
        this.#ports.outputs.add(this.id, runPath);
        failpoint('output.after');
        return { kind: 'map-done', report: { ...report, copied } };
      }
      case 'reduce': {
        const { consumed, reduced, part } = result;
        return { kind: 'reduce-done', report: { consumed, reduced, part, fetchMs: this.#fetchMs } };
      }
    }
  }

  async #copy(path: string, report: MapReport, counters: Counters): Promise<void> {
    const { workerId: worker, copies } = this.#ports;
    const { spec } = this.#job;
    await copies.copy({ spec, attempt: this.id, worker, path, report, counters }, this.#abort.signal);
  }

  #classify(thrown: unknown): AttemptFailure {
    return classifyFailure(thrown, { directory: this.#ports.scratch.path, inputUri: '' });
  }
}
