/**
 * Brings the segments of one partition to this worker while maps still finish. Locations come, go and change; what is held
 * and verified stays. One stream at a time per source worker; a source that fails is retried with backoff and reported, and
 * the coordinator decides: this waits for the next location, on a dead peer never.
 */
import type { Clock } from '../../lib/clock.ts';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import type { AttemptId, WorkerId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import type { FetchTrouble, FetchTroubleCause } from '../../lib/reports.ts';
import { digestMask, segmentDigest } from '../../lib/segment-digest.ts';
import { type Fetched, fetchSegments, type PeerChannels } from '../shuffle/fetch.ts';
import type { MapOutputs } from '../shuffle/outputs.ts';
import type { SegmentSource } from '../shuffle/segment-reader.ts';
import type { SegmentStore } from '../shuffle/segment-store.ts';
import { TaskFailure } from '../user/task-failure.ts';

export interface SegmentLocation {
  readonly map: number;
  readonly attempt: number;
  readonly epoch: number;
  readonly worker: WorkerId;
  readonly digest: number;
}

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
  /** `digest` as in the location: masked as this job keeps them. */
  onHeld(map: number, digest: number): void;
  onTrouble(trouble: FetchTrouble): void;
}

interface Wanted extends SegmentLocation {
  /** A mismatch was seen once: the second one condemns it. */
  suspect: boolean;
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

export class FetchInputs {
  readonly #ports: FetchInputsPorts;
  readonly #mask: number;
  readonly #held: (SegmentSource | undefined)[];
  #heldCount = 0;
  /** By source worker, then map: what is known to be there and not held. */
  readonly #wanted = new Map<WorkerId, Map<number, Wanted>>();
  readonly #pulling = new Set<WorkerId>();
  readonly #abort = new AbortController();
  readonly #result = Promise.withResolvers<readonly SegmentSource[]>();

  constructor(ports: FetchInputsPorts) {
    this.#ports = ports;
    this.#mask = digestMask(ports.maps, ports.reducers);
    this.#held = new Array(ports.maps).fill(undefined);
    this.#result.promise.catch(() => undefined);
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
      const wanted = this.#wanted.get(location.worker) ?? new Map<number, Wanted>();
      this.#wanted.set(location.worker, wanted);
      wanted.set(location.map, { ...location, suspect: false });
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
  }

  #pull(worker: WorkerId): void {
    if (this.#pulling.has(worker) || this.#abort.signal.aborted) return;
    this.#pulling.add(worker);
    this.#pullAll(worker).catch((error) => {
      this.#abort.abort();
      this.#result.reject(error);
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
        if (worker === this.#ports.self) this.#takeLocal(wanted);
        else await this.#fetchFrom(worker, wanted);
        failures = 0;
        refusal = undefined;
      } catch (error) {
        const { code, message } = MillraceError.from(error);
        if (code !== 'unavailable' && code !== 'unauthenticated') throw error;
        failures++;
        if (code === 'unauthenticated') refusal = this.#waitUnrefused(worker, refusal, message);
        else if (failures >= failuresBeforeTrouble) this.#reportUnreachable(worker, message);
        await this.#pause(backoffMs[Math.min(failures, backoffMs.length) - 1]!);
      }
    }
  }

  async #fetchFrom(worker: WorkerId, wanted: readonly Wanted[]): Promise<void> {
    const { attempt, channels, store, clock } = this.#ports;
    const address = this.#ports.addressOf(worker);
    if (address === undefined)
      throw new MillraceError('unavailable', `the address of ${worker} is not known`);
    const results = fetchSegments({
      client: channels.get(address),
      jobId: attempt.jobId,
      ticket: this.#ports.ticket(),
      reduce: attempt.index,
      segments: wanted.map(({ map, attempt, epoch }) => ({ map, attempt, epoch })),
      store,
      clock,
      idleTimeoutMs,
      signal: this.#abort.signal,
      nameOf: (segment) => `map m${segment.map}.${segment.attempt} from ${worker}`,
    });
    let index = 0;
    for await (const result of results) this.#take(wanted[index++]!, result);
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

  #takeLocal(wanted: readonly Wanted[]): void {
    const { attempt, outputs, self } = this.#ports;
    for (const location of wanted) {
      const { map } = location;
      const segment = { map, attempt: location.attempt, epoch: location.epoch };
      try {
        const run = outputs.find(attempt.jobId, map, location.attempt, location.epoch);
        if (!run) this.#take(location, { kind: 'missing', segment, detail: 'it is not on this disk' });
        else {
          const { offset, ...counts } = run.segment(attempt.index);
          const name = `map m${map}.${location.attempt} on ${self}`;
          this.#take(location, {
            kind: 'held',
            segment,
            source: { kind: 'file', name, counts, path: run.path, offset },
          });
        }
      } catch (error) {
        this.#condemn(location, 'corrupt', MillraceError.from(error).message);
      }
    }
  }

  #take(location: Wanted, result: Fetched): void {
    if (result.kind !== 'held') {
      if (result.kind === 'missing') this.#condemn(location, 'missing', result.detail);
      else this.#suspect(location, result.detail);
      return;
    }
    const digest = (segmentDigest(result.source.counts) & this.#mask) >>> 0;
    if (digest === location.digest) this.#hold(location, result.source);
    else this.#suspect(location, 'its counts are not those that the map reported');
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

  #report(location: Wanted, cause: FetchTroubleCause, detail: string): void {
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
