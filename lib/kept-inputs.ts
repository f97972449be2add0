/**
 * What a reduce that failed by its job's fault had read, in the folder of the job: `kept/r3/` has a run file (worker/shuffle/run-file.ts) with map m's
 * segment as its partition m, cut into `0-000001`, `0-000002`, …, where 0 is the claim of who wrote them: a claimant may die before it is done, and then a
 * later attempt has a claim of its own. Each object is made once; the first `kept.json` counts. `kept/place-0`, `kept/place-1`, … bound how many
 * reduces of a job are kept: who makes one may keep.
 */
import { limits } from './limits.ts';
import { type JobFiles, jobFolder } from './map-copy.ts';

/** `kept.json`, written last: without it nothing else counts. */
export interface KeptInputs {
  readonly version: 1;
  readonly attempt: number;
  /** Under which its objects lie. */
  readonly claim: number;
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

export const keptName = 'kept.json';

/** Whoever makes this may keep. `claim` from 0. */
export function claimName(claim: number): string {
  return `claim-${claim}.json`;
}

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
  const { version, attempt, claim, bytes, maps, objects, crc32 } = value as Partial<KeptInputs>;
  const counts = [attempt, claim, bytes, maps, objects, crc32];
  return (
    version === 1 &&
    counts.every((count) => Number.isSafeInteger(count) && count! >= 0) &&
    claim! < limits.keptClaimsMax &&
    objects! <= objectsMax
  );
}

/** `at` from 1. */
export function keptObjectName({ claim }: Pick<KeptInputs, 'claim'>, at: number): string {
  return `${claim}-${String(at).padStart(6, '0')}`;
}
