/**
 * What the import `millrace` means inside a bundle, on a worker: the same names as sdk/index.ts, without the client behind them, so
 * that a job file can define a job and also run it (`if (import.meta.main) await run(job, …)`).
 */
import { jobFileError } from './job-file-error.ts';

export { MillraceError } from '../lib/errors.ts';
export { count, first, fold, max, min, sum, topK } from './aggregators.ts';
export { defineJob } from './define-job.ts';
export { csv, fixedLength, jsonl, lines, tsv, wholeFile, words } from './formats.ts';
export { hashPartition, rangePartition } from './partitions.ts';

export function connect(): never {
  throw notInTask('connect');
}

export function run(): never {
  throw notInTask('run');
}

function notInTask(name: string): Error {
  return jobFileError(
    `${name}() cannot be called where a job is loaded or inside a task; call it from a file that imports the job file`,
  );
}
