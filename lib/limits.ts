/**
 * Named bounds, with the unit in the name, and the one way to refuse what exceeds them.
 * A refusal says the limit, the value and the setting to change.
 */
import { MillraceError } from './errors.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  mapTasksMax: 1_000_000,
  reduceTasksMax: 32_768,
  inputObjectsMax: 2_000_000,
  jobNameCharsMax: 128,
  paramsBytesMax: 64 * KiB,
  bundleBytesMax: 32 * MiB,
  /** The job spec as JSON: mostly input patterns. */
  specBytesMax: 2 * MiB,
  /** A client that submits, or a worker that connects, and says nothing for so long is turned away. */
  submitIdleMsMax: 30_000,
  /** From the first to the last chunk of one submission. */
  submitMsMax: 600_000,
  /** Read and stored at once, each with its whole bundle in memory; the next ones wait. */
  submissionsAtOnceMax: 4,
  helloMsMax: 15_000,
  workersRememberedMax: 10_000,
  /** Map outputs that a worker tells of when it connects, in one message; what it has beyond is made again if it is needed. */
  heldOutputsMax: 40_000,
  /** Jobs that have not ended. */
  activeJobsMax: 1_000,
  /** M times R: each is a segment that somebody counts. */
  segmentsMax: 2_000_000_000,
  splitBytesMin: 1,
  /** Without `--split-size` and `--maps`: as many splits as this, of at least and at most so many bytes each. */
  splitsWanted: 8,
  splitBytesAutoMin: 8 * MiB,
  splitBytesAutoMax: 32 * MiB,
  /** A line, a JSONL or CSV record, a whole file. */
  inputRecordBytesMax: 64 * MiB,
  /** One encoded key with its value; the sort buffer holds several. */
  pairBytesMax: 16 * MiB,
  keyBytesMax: 1 * MiB,
  sortBufferBytesDefault: 64 * MiB,
  combineTableBytesDefault: 48 * MiB,
  readChunkBytes: 256 * KiB,
  fetchFrameBytesMax: 512 * KiB,
  /** Of one stream; a reduce opens the next when it is through. The request that names them is read before its ticket is checked. */
  fetchSegmentsMax: 4_096,
  fetchRequestBytesMax: 128 * KiB,
  /** A segment that is right on its worker's disk may arrive damaged so often; then another worker has to make it. */
  damagedFetchesMax: 5,
  /** Kept and shown of segments that came out wrong. */
  damagesShownMax: 20,
  /** A worker reads segments again for those who got them damaged: so many wait, and one waits so long for its answer. */
  verificationsWaitingMax: 256,
  verificationMsMax: 60_000,
  fetchMemoryBytesDefault: 64 * MiB,
  mergeFanInMax: 256,
  /** Of a map output in the store (`--durability`), all but the last; a worker has one in memory for each output it copies at once. */
  mapCopyPieceBytes: 8 * MiB,
  mapCopiesAtOnceMax: 4,
  /** While the store fails an output is copied again after a second, and then ever less often, down to once in so long. */
  mapCopyRetryMsMax: 60_000,
  mapCopyIndexBytesMax: 8 * MiB,
  /** Segments that one reduce reads from copies at once; objects of copies that a coordinator looks at, or removes, at once. */
  copiedSegmentsAtOnceMax: 8,
  copyRequestsAtOnceMax: 16,
  /** Names of copies in memory, while those of a job are removed. */
  copiesListedMax: 1_000,
  /** Who has not heard of the end of a job may still write: its copies are removed at once, and again after so long. */
  copiesLingerMs: 120_000,
  /** Without `--scratch-limit` so much of the disk is left to others: this share of it, but at least so many bytes. */
  scratchReserveFraction: 0.05,
  scratchReserveBytesMin: 256 * MiB,
  /** Of the scratch limit: a fuller worker begins no new map while anything on it may free space. */
  scratchHighWaterFraction: 0.85,
  /** How long a fetch waits for space before its reduce goes elsewhere. */
  scratchWaitMsMax: 60_000,
  /** Of decisions in one object of the journal; a single larger one has an object of its own. */
  journalEntryCharsMax: 4 * MiB,
  /** After so many entries a snapshot is written, unless it would be large beside them; after the most of them in any case. */
  snapshotEntriesMin: 256,
  snapshotEntriesMax: 4_096,
  /** Objects of the journal that are read, or removed, at once. */
  journalReadsInFlightMax: 16,
  /** Of a job's events in one object; and of all that wait for a store that is away. */
  eventBatchCharsMax: 1 * MiB,
  eventsWaitingCharsMax: 16 * MiB,
  /** One GET; a reader has two in memory at most. */
  s3RangeBytes: 8 * MiB,
  /** A body may break off so often without a byte in between. */
  s3BodyFailuresMax: 5,
  /** The first parts of an upload; S3 takes no more than `s3PartsMax`. A writer holds one more than are in flight. */
  s3PartBytesMin: 8 * MiB,
  s3PartsMax: 10_000,
  s3PartsInFlightMax: 3,
  /** How often one request is sent when somebody waits for it; how long it is repeated for a task or the end of a job. */
  s3AttemptsMax: 5,
  s3PatienceMs: 60_000,
  s3SocketsMax: 64,
  s3ConnectTimeoutMs: 10_000,
  s3SocketTimeoutMs: 30_000,
  s3SweepsInFlightMax: 8,
  /** Parts of an output that are published, dropped or removed at once. */
  publishesInFlightMax: 16,
  grpcMessageBytesMax: 4 * MiB,
  /** Calls at once on one connection, of a client and of a worker that fetches. */
  grpcStreamsMax: 1_024,
  /** To one port, of a coordinator or a worker: all workers, all clients. */
  grpcConnectionsMax: 4_096,
  /** Headers of one call, the token among them. */
  metadataBytesMax: 8 * KiB,
  /** The HTTP port of the coordinator: headers with the path, one request in and its answer out, connections at once. */
  httpHeaderBytesMax: 8 * KiB,
  httpRequestMsMax: 10_000,
  httpConnectionsMax: 256,
  /** `/readyz`: how often the store is asked, and how old its last answer may be. */
  storeCheckIntervalMs: 10_000,
  storeCheckAgeMsMax: 30_000,
  tokenCharsMin: 16,
  tokenCharsMax: 512,
  /** How long a fetch ticket is good for; and, since clocks run unevenly and a host may have slept, how long after that it still passes. */
  ticketLifetimeMs: 30 * 60_000,
  ticketLateMsMax: 5 * 60_000,
  ticketCharsMax: 1 * KiB,
  logBytesPerAttemptMax: 1 * MiB,
  logBytesPerJobMax: 8 * MiB,
  /** What the coordinator keeps of the logs of all jobs. */
  logBytesMax: 128 * MiB,
  /** What a worker without a coordinator keeps of its tasks' logs. */
  logCharsWaitingMax: 512 * KiB,
  /** A peer that refuses a ticket may not have heard of the coordinator that signed it: a reduce asks again for so long. */
  ticketRefusedMsMax: 30_000,
  /** What `millrace replay` needs of a reduce that failed: kept of one task at most, in objects of this size, and for how long it is tried. */
  keptInputBytesMax: 256 * MiB,
  keptObjectBytes: 8 * MiB,
  /** Attempts of one task that may begin to keep what it had read: one may die meanwhile. */
  keptClaimsMax: 3,
  /** Of one job: reduces whose input is kept. */
  keptReducesMax: 16,
  keepInputMsMax: 60_000,
  slotMemoryBytesDefault: 320 * MiB,
  attemptsMaxDefault: 4,
  attemptsMaxMax: 100,
  slotsMax: 256,
  /** `--max-bad-records`. Of each skipped record so many bytes are kept, and of all of one task together; and of its stack. */
  badRecordsMax: 1_000_000_000,
  badRecordBytesMax: 64 * KiB,
  badRecordBytesPerTaskMax: 64 * MiB,
  badRecordStackCharsMax: 2 * KiB,
  /** Named in the cause of a job that is over its budget. */
  badRecordExamplesMax: 3,
  badRecordExampleCharsMax: 300,
  /** Kept and shown of maps that are not deterministic: how many, and of each so many partitions. */
  differencesShownMax: 20,
  differencePartitionsMax: 100,
  /** Of `map-outputs.jsonl`: maps, beyond which it is not written, and digests of partitions, beyond which lines have none. */
  mapOutputLinesMax: 100_000,
  mapOutputDigestsMax: 1_000_000,
  /** Pairs of one record that are held until it is through; what yielded more can no longer be taken back. */
  heldPairsMax: 50_000,
  heldPairBytesMax: 4 * MiB,
  /** Of a function in a profile. */
  functionNameCharsMax: 200,
  /** Of the message of a failed attempt, and of its stack. */
  failureCharsMax: 8 * KiB,
  /** Of a part that a worker stages: its address, and the store's handle of it. */
  uriCharsMax: 4_096,
  partTokenCharsMax: 2_048,
  heartbeatIntervalMsDefault: 3_000,
  heartbeatTimeoutMsDefault: 10_000,
  /** A worker waits so long for the answer to its hello before it tries the next coordinator. */
  welcomeTimeoutMs: 15_000,
  drainTimeoutMsDefault: 30_000,
  /** Between two lines of the status in the coordinator's log. */
  statusIntervalMs: 10_000,
  /** Of one worker, in a view of the cluster. */
  attemptsShownMax: 100,
  taskTimeoutMsDefault: 600_000,
  /** `millrace doctor`: workers asked, and pairs of them that must reach each other; beyond that a sample. */
  diagnosedWorkersMax: 1_000,
  diagnosedPairsMax: 2_500,
  diagnosedFindingsMax: 2_600,
  findingCharsMax: 600,
  clockSkewMsMax: 5_000,
} as const;

/** Throws `limit-exceeded` when `value` is over `max`. `setting` is what the user would change, as they would write it. */
export function checkLimit(what: string, value: number, max: number, setting: string): void {
  if (value <= max) return;
  throw new MillraceError('limit-exceeded', `${what} is ${value}, over the limit of ${max}; ${setting}`);
}
