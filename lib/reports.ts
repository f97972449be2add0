/** What workers tell the coordinator, as domain values; convert.ts of each program maps them to and from the wire. */
import type { AttemptFailure } from './attempt-failure.ts';
import type { BadRecordsReport } from './bad-records.ts';
import type { AttemptId, WorkerId } from './ids.ts';
import type { Counters, OpenPart, PairCounts, SegmentCounts, StagedPart } from './job-spec.ts';
import type { Profile } from './profile.ts';

export interface WorkerInfo {
  readonly workerId: WorkerId;
  readonly host: string;
  /** HOST:PORT where other workers fetch. */
  readonly fetchAddress: string;
  readonly slots: number;
  readonly pid: number;
  readonly softwareVersion: string;
  /** It was told to stop: it takes nothing new. */
  readonly draining: boolean;
  /** A digest of its host and scratch folder, which no two workers have at once. Undefined when it did not say. */
  readonly home?: string | undefined;
}

/** `ready`: a reduce that holds all its input and waits for a slot. Only `map` and `reduce` (and `sample`) hold one. */
export type AttemptPhase = 'waiting' | 'sample' | 'map' | 'fetch' | 'ready' | 'reduce';

export interface AttemptProgress {
  readonly attempt: AttemptId;
  readonly phase: AttemptPhase;
  readonly recordsIn: number;
  readonly bytesIn: number;
  readonly recordsOut: number;
  readonly bytesOut: number;
}

export interface WorkerUsage {
  readonly rssBytes: number;
  /** Of the container or machine; 0 when unknown. */
  readonly memoryBytesMax: number;
  /** 1 for one busy core. */
  readonly cpuFraction: number;
  readonly scratchBytes: number;
  /** What the scratch folder may hold; 0 when unknown. */
  readonly scratchBytesMax: number;
}

export interface MapReport {
  readonly inputRecords: number;
  readonly inputBytes: number;
  /** One per partition; empty for a map-only job. */
  readonly segments: readonly SegmentCounts[];
  /** Map-only jobs: the staged output. */
  readonly part: StagedPart | undefined;
  /** Sorted runs written because the buffer was full, and their bytes. */
  readonly spills: number;
  readonly spillBytes: number;
  /** What it skipped; missing when nothing. */
  readonly bad?: BadRecordsReport | undefined;
  /** Its output is in the store as well, whole (`--durability`). */
  readonly copied?: boolean | undefined;
}

export interface ReduceReport {
  /** Sums over the segments of all maps; crc32 is their sum modulo 2^32, so its order does not matter. */
  readonly consumed: SegmentCounts;
  /** Taken out of the merge of these segments and through the groups of keys. */
  readonly reduced: PairCounts;
  readonly part: StagedPart;
  /** From the first location to the last segment held. */
  readonly fetchMs: number;
}

/** An attempt has begun to stage a part; said before any byte of it, so that it can be dropped whatever happens to the worker. */
export interface PartOpened {
  readonly attempt: AttemptId;
  readonly part: OpenPart;
}

export type AttemptOutcome =
  | { readonly kind: 'sample-done'; readonly keys: readonly Uint8Array[] }
  | { readonly kind: 'map-done'; readonly report: MapReport }
  | { readonly kind: 'reduce-done'; readonly report: ReduceReport }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure };

export interface AttemptReport {
  readonly attempt: AttemptId;
  readonly outcome: AttemptOutcome;
  readonly counters: Counters;
  /**
   * It was answered before: by the coordinator of an earlier epoch, or to an earlier process on the same scratch folder. Only of map outputs
   * that are still there.
   */
  readonly again?: boolean;
  /** Of a job with `--profile`. */
  readonly profile?: Profile | undefined;
}

/**
 * `corrupt`: broken on the disk of its worker. `damaged-in-transit`: whole there, but not when it came; it is fetched again. `undeliverable`: that
 * happened too often.
 */
export const fetchTroubleCauses = [
  'unreachable',
  'missing',
  'corrupt',
  'damaged-in-transit',
  'undeliverable',
] as const;
export type FetchTroubleCause = (typeof fetchTroubleCauses)[number];

/** A reduce could not fetch one map's segment after its own retries; the coordinator decides what that means. */
export interface FetchTrouble {
  readonly attempt: AttemptId;
  readonly map: number;
  readonly mapAttempt: number;
  /** Undefined: the copy in the store. */
  readonly worker: WorkerId | undefined;
  readonly cause: FetchTroubleCause;
  readonly detail: string;
}

export interface FetchProgress {
  readonly attempt: AttemptId;
  /** Maps whose verified segment the attempt holds, new since the last report. */
  readonly maps: readonly number[];
  /** One per entry of `maps`: the digest of the location that the segment was fetched from. */
  readonly digests: readonly number[];
  /** The attempt holds every segment: it wants a slot and needs no location any more. */
  readonly complete: boolean;
}
