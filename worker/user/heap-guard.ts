/**
 * Stops a task that holds too much before V8 must: over its hard limit V8 ends a thread cleanly only when memory grows in small steps;
 * a Map or an array that doubles there takes the whole process down (measured on Node 24: five of seven kinds of growth do).
 * So the hard limit is far away, and the task looks at its own heap between records, values and emits.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { formatBytes } from '../../lib/units.ts';
import { TaskFailure } from './task-failure.ts';

const MiB = 1024 * 1024;

/**
 * The limit given to V8 for a thread that is to hold no more than `bytesMax`. Room, not memory: the thread is stopped long before
 * (heap-watch.ts), and what a fast loop allocates until then must still fit.
 */
export function hardHeapMegabytes(bytesMax: number): number {
  return Math.ceil((2 * bytesMax) / MiB) + 1024;
}

export function outOfMemory(bytesMax: number): TaskFailure {
  return new TaskFailure({
    kind: 'out-of-memory',
    message: `the task held more than the ${formatBytes(bytesMax)} of memory of its slot; hold less at once, or give slots more with --slot-memory`,
    heapBytesMax: bytesMax,
  });
}

/** A function to be called now and then, that throws `out-of-memory` when what is really in use is over the limit. */
export function createHeapGuard(bytesMax: number): () => void {
  let lookAtBytes = bytesMax;
  return () => {
    if (getHeapStatistics().used_heap_size <= lookAtBytes) return;
    collectGarbage();
    const heldBytes = getHeapStatistics().used_heap_size;
    if (heldBytes > bytesMax) throw outOfMemory(bytesMax);
    // A full collection is dear: not again before as much has been allocated as would matter.
    lookAtBytes = Math.max(bytesMax, heldBytes + bytesMax / 2);
  };
}

let gc: (() => void) | undefined;

function collectGarbage(): void {
  if (!gc) {
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as () => void;
  }
  gc();
}
