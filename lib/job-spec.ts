/** What a job is, as data: written once at submit, never changed. And what its input is cut into. */
import type { BadRecordBudget } from './bad-records.ts';
import type { InputFormat, OutputFormat } from './formats.ts';
import type { JobId } from './ids.ts';

export type IfExists = 'fail' | 'replace' | 'append';

/** How keys are given to partitions: the frozen hash, the job's own function, or sampled ranges (total order). */
export type PartitionKind = 'hash' | 'custom' | 'range';

/**
 * Whether map output is copied to the store, so that a lost worker costs no rerun: never; after the map is done; or before it counts as done.
 */
export type Durability = 'local' | 'async' | 'sync';
export const durabilities: readonly Durability[] = ['local', 'async', 'sync'];

/** A map ran again and made something else: reduces that used the earlier output start again, or the job fails. */
export type NonDeterminismPolicy = 'rerun-reduces' | 'fail';
export const nonDeterminismPolicies: readonly NonDeterminismPolicy[] = ['rerun-reduces', 'fail'];

/** JSON scalars; from `--param k=v` coerced to the type of the job's default. */
export type ParamValue = string | number | boolean;

export interface JobSpec {
  readonly jobId: JobId;
  readonly name: string;
  /** Where the bundle is, and what its bytes must hash to before anything loads it. */
  readonly bundle: { readonly uri: string; readonly sha256: string; readonly bytes: number };
  readonly input: InputFormat;
  readonly output: OutputFormat;
  /** As the user wrote them, made absolute: `file:///logs/*.gz`, `s3://bucket/prefix/*`. */
  readonly inputPatterns: readonly string[];
  /** Absolute folder URI with a trailing slash: `file:///out/`. */
  readonly outputUri: string;
  readonly ifExists: IfExists;
  readonly params: Readonly<Record<string, ParamValue>>;
  /** R; 0 is a map-only job. */
  readonly reducers: number;
  readonly partition: PartitionKind;
  /**
   * Wanted bytes per split; or, when `maps` is set, the wanted number of splits (a hint: record bounds and files decide). Both
   * undefined: chosen from the size of the input alone, never from the cluster, so that the same job gives the same splits.
   */
  readonly splitBytes: number | undefined;
  readonly maps: number | undefined;
  readonly priority: number;
  readonly attemptsMax: number;
  readonly taskTimeoutMs: number;
  /** How many records may be skipped; missing: the first bad one fails its task. */
  readonly maxBadRecords?: BadRecordBudget | undefined;
  /** Of map output; missing: `local`. */
  readonly durability?: Durability | undefined;
  /** Missing: `rerun-reduces`. */
  readonly onNondeterminism?: NonDeterminismPolicy | undefined;
  /** Tasks say where their time went; missing: not. */
  readonly profile?: boolean | undefined;
  readonly submittedAtMs: number;
  /** The number of the first output object: 0, or what follows the existing ones for `append`. */
  readonly partOffset: number;
}

/** What a client sends: everything but what the coordinator gives. */
export interface SubmittedSpec extends Omit<JobSpec, 'jobId' | 'bundle' | 'submittedAtMs' | 'partOffset'> {
  /** Of the bundle's bytes, which follow. */
  readonly bundleSha256: string;
}

/** A byte range of one input object. `start` and `end` are a whole object when the format cannot be cut. */
export interface SplitPiece {
  readonly uri: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Of the whole object: readers run over `end` to finish a record, never past this. */
  readonly objectBytes: number;
  /** Changed since it was listed: the attempt fails with `input-changed`. Empty when the store has none. */
  readonly etag: string;
}

/** The input of one map task: one piece of a big object, or several small objects packed together, in listing order. */
export interface Split {
  readonly pieces: readonly SplitPiece[];
  readonly bytes: number;
  /** Hosts that hold the bytes, for locality; empty when all are equal. */
  readonly hosts: readonly string[];
}

/** What a map attempt made for one partition, or what a reduce attempt took in. crc32 is of the stored segment bytes. */
export interface SegmentCounts {
  readonly records: number;
  readonly bytes: number;
  readonly crc32: number;
}

/** Counted pair by pair, where there is no checksum of its own. */
export type PairCounts = Pick<SegmentCounts, 'records' | 'bytes'>;

/** One committed output object as `_SUCCESS` lists it. */
export interface OutputPart {
  readonly key: string;
  readonly bytes: number;
  readonly records: number;
  readonly crc32: number;
}

/** What it takes to drop a part that is being staged. `token` is the store's (a temporary path, an upload id). */
export interface OpenPart {
  readonly uri: string;
  readonly token: string;
}

/** Staged by an attempt, invisible until the coordinator publishes it. */
export interface StagedPart extends OpenPart {
  readonly bytes: number;
  readonly records: number;
  readonly crc32: number;
  /** For reading tsv back with its types (lib/output/columns.ts); empty for other formats. */
  readonly columns: readonly string[];
}

export type Counters = Readonly<Record<string, number>>;
