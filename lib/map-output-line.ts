/** One line of `jobs/<id>/map-outputs.jsonl`: what the accepted attempt of a map made, so that two runs of a job can be compared. */
export interface MapOutputLine {
  /** `m3`. */
  readonly task: string;
  /** Pairs of all partitions together; crc32 is the sum of the segments' crc32 modulo 2^32. */
  readonly records: number;
  readonly bytes: number;
  readonly crc32: number;
  /** A digest of records, bytes and crc32 per partition; null where there are too many to keep. */
  readonly partitions: readonly number[] | null;
  readonly attempt: number;
  readonly epoch: number;
  readonly worker: string;
}
