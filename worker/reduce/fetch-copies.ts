/**
 * Brings segments whose worker is gone from the copies in the store (`--durability`), some at once. A store that is away is asked again
 * and again; a copy that is not whole is reported, and the coordinator decides what becomes of its map.
 */
import pLimit from 'p-limit';
import { MillraceError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { FetchTroubleCause } from '../../lib/reports.ts';
import type { SegmentSource } from '../shuffle/segment-reader.ts';

/** The map attempt whose copy it is, and what its segment must be. */
export interface CopyLocation {
  readonly map: number;
  readonly attempt: number;
  readonly epoch: number;
  readonly digest: number;
}

export interface FetchCopiesPorts<T extends CopyLocation> {
  /** Throws as readCopiedSegment does. */
  read(location: T): Promise<SegmentSource>;
  onHeld(location: T, source: SegmentSource): void;
  onTrouble(location: T, cause: FetchTroubleCause, detail: string): void;
  /** What no other location would make good. */
  onFatal(error: unknown): void;
  /** Between two tries of a store that is away; their number. */
  pause(failures: number): Promise<void>;
  readonly signal: AbortSignal;
}

export class FetchCopies<T extends CopyLocation> {
  readonly #ports: FetchCopiesPorts<T>;
  readonly #wanted = new Map<number, T>();
  /** Locations that were not whole once: it may have been the wire. */
  readonly #suspects = new WeakSet<T>();
  #isPulling = false;

  constructor(ports: FetchCopiesPorts<T>) {
    this.#ports = ports;
  }

  want(location: T): void {
    this.#wanted.set(location.map, location);
    if (this.#isPulling) return;
    this.#isPulling = true;
    this.#pull().catch((error) => this.#ports.onFatal(error));
  }

  forget(map: number): void {
    this.#wanted.delete(map);
  }

  async #pull(): Promise<void> {
    const atOnce = pLimit(limits.copiedSegmentsAtOnceMax);
    let failures = 0;
    // What is wanted together comes in one task, and is read together.
    await Promise.resolve();
    while (this.#wanted.size > 0 && !this.#ports.signal.aborted) {
      const reads = [...this.#wanted.values()].map((location) => atOnce(() => this.#read(location)));
      const isAway = (await Promise.all(reads)).includes('away');
      failures = isAway ? failures + 1 : 0;
      if (isAway) await this.#ports.pause(failures);
    }
    this.#isPulling = false;
  }

  async #read(location: T): Promise<'answered' | 'away'> {
    const { read, onHeld, signal } = this.#ports;
    if (this.#wanted.get(location.map) !== location || signal.aborted) return 'answered';
    try {
      const source = await read(location);
      if (this.#wanted.get(location.map) === location) {
        this.#wanted.delete(location.map);
        onHeld(location, source);
      }
      return 'answered';
    } catch (error) {
      return this.#failed(location, error);
    }
  }

  #failed(location: T, error: unknown): 'answered' | 'away' {
    const { onTrouble, signal } = this.#ports;
    const { code, message } = MillraceError.from(error);
    if (signal.aborted || this.#wanted.get(location.map) !== location) return 'answered';
    switch (code) {
      case 'no-space':
        throw error;
      // A store says so, too, of an object that is missing when who asks may not list; and asking again changes no policy.
      case 'permission-denied':
      case 'not-found':
        this.#wanted.delete(location.map);
        onTrouble(location, 'missing', message);
        return 'answered';
      case 'corrupt':
      case 'limit-exceeded':
        if (!this.#suspects.has(location)) this.#suspects.add(location);
        else {
          this.#wanted.delete(location.map);
          onTrouble(location, 'corrupt', message);
        }
        return 'answered';
      default:
        // The store was asked for as long as it has patience: each time counts.
        onTrouble(location, 'unreachable', message);
        return 'away';
    }
  }
}
