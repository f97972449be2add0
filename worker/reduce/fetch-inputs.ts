/**
 * Brings the segments of one partition to this worker while maps still finish. Locations come, go and change; what is held
 * and verified stays. One stream at a time per source worker; a source that fails is retried with backoff and reported, and
 * the coordinator decides: this waits for the next location, on a dead peer never.
 */
import type { Clock } from '../../lib/clock.ts';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import type { AttemptId, WorkerId } from '../../lib/ids.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import type { FetchTrouble, FetchTroubleCause } from '../../lib/reports.ts';
import { digestMask, segmentDigest } from '../../lib/segment-digest.ts';
import { askWhoBroke } from '../shuffle/ask-who-broke.ts';
import { fetchSegments, type PeerChannels } from '../shuffle/fetch.ts';
import type { MapOutputs } from '../shuffle/outputs.ts';
import type { ReadCopyOptions } from '../shuffle/read-copy.ts';
import type { SegmentSource } from '../shuffle/segment-reader.ts';
import type { SegmentStore } from '../shuffle/segment-store.ts';
import { TaskFailure } from '../user/task-failure.ts';
import { FetchCopies } from './fetch-copies.ts';

export interface SegmentLocation {
  readonly map: number;
  readonly attempt: number;
  readonly epoch: number;
  /** Undefined: the copy in the store. */
  readonly worker: WorkerId | undefined;
  readonly digest: number;
}

/** A segment to be read from its copy. */
export type CopyWanted = Pick<ReadCopyOptions, 'attempt' | 'partition' | 'name' | 'isReported' | 'signal'>;

export interface FetchInputsPorts {
  readonly attempt: AttemptId;
  /** M and R of the job. */
  readonly maps: number;
  readonly reducers: number;
  readonly self: WorkerId;
  readonly outputs: MapOutputs;
  readonly channels: PeerChannels;
  readonly store: SegmentStore;
  readonly clock: Clock;
  /** The newest that the coordinator has given for this job. */
  ticket(): string;
  /** Whether there is a coordinator now, which would give a new ticket. */
  isJoined(): boolean;
  /** Where a worker serves; undefined when it is not known yet. */
  addressOf(worker: WorkerId): string | undefined;
  /** As readCopiedSegment. */
  readCopy(wanted: CopyWanted): Promise<SegmentSource>;
  /** `digest` as in the location: masked as this job keeps them. */
  onHeld(map: number, digest: number): void;
  onTrouble(trouble: FetchTrouble): void;
}

interface Wanted extends SegmentLocation {
  readonly worker: WorkerId;
  /** It came broken, and its worker did not say whose doing that was: the second time condemns it. */
  suspect: boolean;
  /** How often it was whole on the disk of its worker and came broken. */
  damages: number;
}

interface Broken {
  readonly location: Wanted;
  readonly detail: string;
}

/** One ticket was refused by a source since then, while there was a coordinator. */
interface Refusal {
  readonly ticket: string;
  readonly sinceMs: number;
}

const idleTimeoutMs = 15_000;
const backoffMs = [200, 500, 1_000, 2_000, 5_000];
/**
 * A source that failed so often in a row is reported, and again at each failure after that. With the pauses between, the third report
 * of one reduce comes later than the default lease: a worker that is dead is found by that, not by votes.
 */
const failuresBeforeTrouble = 5;

function backoffOf(failures: number): number {
  return backoffMs[Math.min(failures, backoffMs.length) - 1]!;
}

export class FetchInputs {
  readonly #ports: FetchInputsPorts;
  readonly #mask: number;
  readonly #held: (SegmentSource | undefined)[];
  #heldCount = 0;
  /** By source worker, then map: what is known to be there and not held. */
  readonly #wanted = new Map<WorkerId, Map<number, Wanted>>();
  readonly #pulling = new Set<WorkerId>();
  readonly #copies: FetchCopies<SegmentLocation>;
  readonly #abort = new AbortController();
  readonly #result = Promise.withResolvers<readonly SegmentSource[]>();

  constructor(ports: FetchInputsPorts) {
    this.#ports = ports;
    this.#mask = digestMask(ports.maps, ports.reducers);
    this.#held = new Array(ports.maps).fill(undefined);
    this.#result.promise.catch(() => undefined);
    this.#copies = new FetchCopies({
      read: (location) => this.#readCopy(location),
      onHeld: (location, source) => this.#hold(location, source),
      onTrouble: (location, cause, detail) => this.#report(location, cause, detail),
      onFatal: (error) => this.#fail(error),
      pause: (failures) => this.#pause(backoffOf(failures)),
      signal: this.#abort.signal,
    });
    this.#completeIfAll();
  }

  /** All segments in map order, once every one is held. Rejects with `no-space`, `fetch-refused`, or `cancelled` after `cancel`. */
  get complete(): Promise<readonly SegmentSource[]> {
    return this.#result.promise;
  }

  /** New or changed locations; a map that is held already stays as it is. */
  found(locations: readonly SegmentLocation[]): void {
    for (const location of locations) {
      if (location.map >= this.#ports.maps || this.#held[location.map]) continue;
      this.#forget(location.map);
      const { worker } = location;
      if (worker === undefined) {
        this.#copies.want(location);
        continue;
      }
      const wanted = this.#wanted.get(worker) ?? new Map<number, Wanted>();
      this.#wanted.set(worker, wanted);
      wanted.set(location.map, { ...location, worker, suspect: false, damages: 0 });
    }
    for (const worker of this.#wanted.keys()) this.#pull(worker);
  }

  /** These outputs are gone: not asked for any more until a new location comes. */
  lost(maps: readonly number[]): void {
    for (const map of maps) this.#forget(map);
  }

  cancel(): void {
    this.#abort.abort();
    this.#result.reject(new MillraceError('cancelled', 'the reduce attempt was cancelled while fetching'));
  }

  #forget(map: number): void {
    for (const wanted of this.#wanted.values()) wanted.delete(map);
    this.#copies.forget(map);
  }

  #pull(worker: WorkerId): void {
    if (this.#pulling.has(worker) || this.#abort.signal.aborted) return;
    this.#pulling.add(worker);
    this.#pullAll(worker).catch((error) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#abort.abort();
    this.#result.reject(error);
  }

  #readCopy({ map, attempt: number, epoch, digest }: SegmentLocation): Promise<SegmentSource> {
    const { attempt, readCopy } = this.#ports;
    return readCopy({
      attempt: { jobId: attempt.jobId, kind: 'map', index: map, attempt: number, epoch },
      partition: attempt.index,
      name: `the copy of map m${map}.${number}`,
      isReported: (counts) => this.#digestOf(counts) === digest,
      signal: this.#abort.signal,
    });
  }

  async #pullAll(worker: WorkerId): Promise<void> {
    let failures = 0;
    let refusal: Refusal | undefined;
    while (!this.#abort.signal.aborted) {
      const wanted = [...(this.#wanted.get(worker)?.values() ?? [])].slice(0, limits.fetchSegmentsMax);
      if (wanted.length === 0) {
        // At once, not when the promise settles: a location that comes in between must start a new pull.
        this.#pulling.delete(worker);
        return;
      }
      try {
        const damages =
          worker === this.#ports.self ? this.#takeLocal(wanted) : await this.#fetchFrom(worker, wanted);
        failures = 0;
        refusal = undefined;
        if (damages > 0) await this.#pause(backoffOf(damages));
      } catch (error) {
        const { code, message } = MillraceError.from(error);
        if (code !== 'unavailable' && code !== 'unauthenticated') throw error;
        failures++;
        if (code === 'unauthenticated') refusal = this.#waitUnrefused(worker, refusal, message);
        else if (failures >= failuresBeforeTrouble) this.#reportUnreachable(worker, message);
        await this.#pause(backoffOf(failures));
      }
    }
  }

  /** How often a segment that is whole there came damaged, of the one for which that is most. */
  async #fetchFrom(worker: WorkerId, wanted: readonly Wanted[]): Promise<number> {
    const { attempt, store, clock } = this.#ports;
    const locations = new Map(wanted.map((location) => [location.map, location]));
    const broken: Broken[] = [];
    const results = fetchSegments({
      client: this.#clientOf(worker),
      jobId: attempt.jobId,
      ticket: this.#ports.ticket(),
      reduce: attempt.index,
      segments: wanted.map(({ map, attempt, epoch }) => ({ map, attempt, epoch })),
      store,
      clock,
      idleTimeoutMs,
      signal: this.#abort.signal,
      nameOf: (segment) => `map m${segment.map}.${segment.attempt} from ${worker}`,
      isReported: ({ map }, counts) => this.#digestOf(counts) === locations.get(map)!.digest,
    });
    try {
      for await (const result of results) {
        const location = locations.get(result.segment.map)!;
        if (result.kind === 'held') this.#hold(location, result.source);
        else if (result.kind === 'missing') this.#condemn(location, 'missing', result.detail);
        else broken.push({ location, detail: result.detail });
      }
    } finally {
      await this.#judge(worker, broken);
    }
    return Math.max(0, ...broken.map(({ location }) => location.damages));
  }

  #clientOf(worker: WorkerId): ReturnType<PeerChannels['get']> {
    const address = this.#ports.addressOf(worker);
    if (address !== undefined) return this.#ports.channels.get(address);
    throw new MillraceError('unavailable', `the address of ${worker} is not known`);
  }

  /** Asks the worker what lies on its disk: what is broken there is condemned at once, what is whole is fetched again. */
  async #judge(worker: WorkerId, broken: readonly Broken[]): Promise<void> {
    const { attempt, clock } = this.#ports;
    const { signal } = this.#abort;
    let isSilent = false;
    for (const { location, detail } of broken) {
      if (signal.aborted) return;
      const verdict = isSilent
        ? { culprit: 'unknown' as const, detail: 'it does not answer' }
        : await askWhoBroke({
            client: this.#clientOf(worker),
            jobId: attempt.jobId,
            ticket: this.#ports.ticket(),
            reduce: attempt.index,
            segment: { map: location.map, attempt: location.attempt, epoch: location.epoch },
            clock,
            signal,
            isReported: (counts) => this.#digestOf(counts) === location.digest,
          });
      switch (verdict.culprit) {
        case 'disk':
          this.#condemn(location, 'corrupt', `on the disk of ${worker}: ${verdict.detail}`);
          break;
        case 'transit':
          this.#damaged(location, `${detail}; on the disk of ${worker} it is whole: ${verdict.detail}`);
          break;
        case 'missing':
          this.#condemn(location, 'missing', verdict.detail);
          break;
        case 'busy':
          this.#damaged(location, `${detail}; ${worker} has no time to look at its disk: ${verdict.detail}`);
          break;
        case 'unknown':
          isSilent = true;
          this.#suspect(location, `${detail}; ${worker} does not say what is on its disk: ${verdict.detail}`);
          break;
      }
    }
  }

  /**
   * After a change of coordinators this worker may not have its new ticket yet, or the source may not know yet who signed it. Throws when
   * one ticket is refused for too long: another location would not help.
   */
  #waitUnrefused(worker: WorkerId, before: Refusal | undefined, reason: string): Refusal {
    const { clock, ticket, isJoined } = this.#ports;
    const now: Refusal = { ticket: ticket(), sinceMs: clock.monotonicMs() };
    if (before?.ticket !== now.ticket || !isJoined()) return now;
    if (now.sinceMs - before.sinceMs >= limits.ticketRefusedMsMax) throw this.#refused(worker, reason);
    return before;
  }

  #refused(worker: WorkerId, reason: string): TaskFailure {
    const message = `${worker} at ${this.#ports.addressOf(worker)} refuses to serve map outputs to ${this.#ports.self}: ${reason}`;
    return new TaskFailure({ kind: 'fetch-refused', message, worker });
  }

  /** From the own disk, which is read when the segments are merged: no damage shows here but that of an index. */
  #takeLocal(wanted: readonly Wanted[]): number {
    const { attempt, outputs, self } = this.#ports;
    for (const location of wanted) {
      const { map } = location;
      try {
        const run = outputs.find(attempt.jobId, map, location.attempt, location.epoch);
        if (!run) {
          this.#condemn(location, 'missing', 'it is not on this disk');
          continue;
        }
        const { offset, ...counts } = run.segment(attempt.index);
        const name = `map m${map}.${location.attempt} on ${self}`;
        if (this.#digestOf(counts) === location.digest)
          this.#hold(location, { kind: 'file', name, counts, path: run.path, offset });
        else
          this.#condemn(
            location,
            'corrupt',
            `on the disk of ${self}: its index is not what the map reported`,
          );
      } catch (error) {
        const { message } = MillraceError.from(error);
        this.#condemn(location, 'corrupt', `on the disk of ${self}: ${message}`);
      }
    }
    return 0;
  }

  #digestOf(counts: SegmentCounts): number {
    return (segmentDigest(counts) & this.#mask) >>> 0;
  }

  #hold({ map, digest }: SegmentLocation, source: SegmentSource): void {
    this.#forget(map);
    if (this.#held[map]) return;
    this.#held[map] = source;
    this.#heldCount++;
    failpoint('fetch.held');
    this.#ports.onHeld(map, digest);
    this.#completeIfAll();
  }

  #completeIfAll(): void {
    if (this.#heldCount === this.#ports.maps) this.#result.resolve(this.#held as SegmentSource[]);
  }

  /** Fetched again a few times; then it does not come from there. */
  #damaged(location: Wanted, detail: string): void {
    location.damages++;
    if (location.damages < limits.damagedFetchesMax) this.#report(location, 'damaged-in-transit', detail);
    else this.#condemn(location, 'undeliverable', `${location.damages} times in a row ${detail}`);
  }

  /** Once may be the wire; twice is the disk. */
  #suspect(location: Wanted, detail: string): void {
    if (location.suspect) this.#condemn(location, 'corrupt', detail);
    else location.suspect = true;
  }

  #condemn(location: Wanted, cause: FetchTroubleCause, detail: string): void {
    const current = this.#wanted.get(location.worker);
    if (current?.get(location.map) === location) current.delete(location.map);
    this.#report(location, cause, detail);
  }

  #reportUnreachable(worker: WorkerId, detail: string): void {
    for (const location of this.#wanted.get(worker)?.values() ?? [])
      this.#report(location, 'unreachable', detail);
  }

  #report(location: SegmentLocation, cause: FetchTroubleCause, detail: string): void {
    const { attempt } = this.#ports;
    const { map, attempt: mapAttempt, worker } = location;
    this.#ports.onTrouble({ attempt, map, mapAttempt, worker, cause, detail });
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#abort;
    return new Promise((resolve) => {
      const cancel = this.#ports.clock.after(ms, done);
      function done() {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done);
    });
  }
}
