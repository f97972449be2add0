/**
 * What a reduce that failed by its job's fault had read, in the folder of the job: `kept/r3/` has a run file (worker/shuffle/run-file.ts) with map m's
 * segment as its partition m, cut into `000001`, `000002`, … Each object is made once. `kept/place-0`, `kept/place-1`, … bound how many
 * reduces of a job are kept: who makes one may keep.
 */
import { limits } from './limits.ts';
import { type JobFiles, jobFolder } from './map-copy.ts';

/** `kept.json`, written last: without it nothing else counts. */
export interface KeptInputs {
  readonly version: 1;
  readonly attempt: number;
  /** Of all segments. */
  readonly bytes: number;
  readonly maps: number;
  /** How many; 0 when nothing is kept, and then why. */
  readonly objects: number;
  readonly omitted?: KeptOmission | undefined;
  /** Of the whole run file. */
  readonly crc32: number;
}

/** `too-large`: the input of this reduce. `too-many`: other reduces of the job are kept. */
export type KeptOmission = 'too-large' | 'too-many';

/** Whoever made this first keeps: one attempt of each task. */
export const claimName = 'claim.json';
export const keptName = 'kept.json';

/** With a trailing slash. */
export function keptFolder(job: JobFiles, reduce: number): string {
  return `${jobFolder(job)}kept/r${reduce}/`;
}

export function placeUri(job: JobFiles, place: number): string {
  return `${jobFolder(job)}kept/place-${place}`;
}

/** The index of the run file comes on top of the segments, and is smaller. */
const objectsMax = (2 * limits.keptInputBytesMax) / limits.keptObjectBytes;

/** Whether this is a `kept.json` as this version writes it: it comes from a worker, and whoever reads it makes room for what it says. */
export function isKeptInputs(value: object): value is KeptInputs {
  const { version, attempt, bytes, maps, objects, crc32 } = value as Partial<KeptInputs>;
  const counts = [attempt, bytes, maps, objects, crc32];
  return (
    version === 1 &&
    counts.every((count) => Number.isSafeInteger(count) && count! >= 0) &&
    objects! <= objectsMax
  );
}

/** `at` from 1. */
export function keptObjectName(at: number): string {
  return String(at).padStart(6, '0');
}
