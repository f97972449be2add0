/**
 * What a reduce that failed by its job's fault had read, in the folder of the job: `kept/r3/` has a run file (worker/shuffle/run-file.ts) with map m's
 * segment as its partition m, cut into `000001`, `000002`, … Each object is made once.
 */
import type { JobSpec } from './job-spec.ts';

/** `kept.json`, written last: without it nothing else counts. */
export interface KeptInputs {
  readonly version: 1;
  readonly attempt: number;
  /** Of all segments. */
  readonly bytes: number;
  readonly maps: number;
  /** How many; 0 when there was too much to keep. */
  readonly objects: number;
  /** Of the whole run file. */
  readonly crc32: number;
}

/** Whoever made this first keeps: one attempt of each task. */
export const claimName = 'claim.json';
export const keptName = 'kept.json';

/** With a trailing slash; beside the bundle. */
export function keptFolder({ bundle }: JobSpec, reduce: number): string {
  return `${bundle.uri.slice(0, bundle.uri.lastIndexOf('/') + 1)}kept/r${reduce}/`;
}

/** `at` from 1. */
export function keptObjectName(at: number): string {
  return String(at).padStart(6, '0');
}
