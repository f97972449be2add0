/** The package `millrace`: named exports, nothing else. What a job file may use at run time is sdk/job-side.ts, which has the same names. */

export type { AttemptFailure } from '../lib/attempt-failure.ts';
export type { ClusterView, WorkerState, WorkerView } from '../lib/cluster-view.ts';
export type { ErrorCode } from '../lib/errors.ts';
export { MillraceError } from '../lib/errors.ts';
export type { JobState, JobView } from '../lib/job-view.ts';
export { count, first, fold, max, min, sum, topK } from './aggregators.ts';
export { type Client, type ConnectOptions, connect, type ListOptions } from './client.ts';
export { defineJob } from './define-job.ts';
export type { CsvOptions, KeyOptions, OutputOptions, WordsOptions } from './formats.ts';
export { csv, fixedLength, jsonl, lines, tsv, wholeFile, words } from './formats.ts';
export type { JobHandle, LogLine, LogsOptions } from './handle.ts';
export type {
  Aggregator,
  Context,
  Emit,
  Input,
  Job,
  JobDefinition,
  Key,
  Output,
  OutputOf,
  Params,
  RangePartition,
  WidenParams,
} from './job-types.ts';
export type { HashPartition } from './partitions.ts';
export { hashPartition, rangePartition } from './partitions.ts';
export type { WaitOptions } from './rpc.ts';
export { type RunOptions, type RunResult, run } from './run.ts';
export type { SubmitOptions } from './submit-options.ts';
