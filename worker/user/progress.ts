/**
 * How far an attempt is: five numbers in memory that the thread of user code writes and the main thread reads, so that progress
 * costs no message per record. Whatever changes one of them proves that the attempt is alive.
 */

export const progressAt = {
  recordsIn: 0,
  bytesIn: 1,
  recordsOut: 2,
  bytesOut: 3,
  /** Counts log lines and counters: reporting is progress too. */
  beats: 4,
} as const;

const numbers = 5;

/** Indexed by {@link progressAt}. Aligned 8-byte stores are whole on every platform Node runs on, so plain writes will do. */
export type Progress = Float64Array;

/** One that only this thread sees. */
export function createProgress(): Progress {
  return new Float64Array(numbers);
}

/** One that may be handed to another thread: send its `buffer` and view it there with {@link viewProgress}. */
export function createSharedProgress(): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(numbers * Float64Array.BYTES_PER_ELEMENT));
}

export function viewProgress(memory: SharedArrayBuffer): Float64Array<SharedArrayBuffer> {
  return new Float64Array(memory);
}

/** Grows whenever anything is done; equal sums at two times mean that nothing was. */
export function progressSum(progress: Progress): number {
  return progress.reduce((sum, value) => sum + value, 0);
}
