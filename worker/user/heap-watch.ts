/**
 * The main thread's look at a slot thread's heap. The thread checks itself between records (heap-guard.ts); a single call of user
 * code that never returns is seen only from here, in time to stop the thread before V8 takes the whole process down.
 */
import type { Worker } from 'node:worker_threads';

const lookEveryMs = 50;
/** Over the slot's memory by so much, because part of what is seen here is garbage that V8 has not collected yet. */
const garbageShare = 0.5;
const garbageBytes = 128 * 1024 * 1024;

/** Calls `onOver` once when the heap is far over the memory of the slot; the returned function ends the watch. */
export function watchHeap(worker: Worker, memoryBytesMax: number, onOver: () => void): () => void {
  const stopAtBytes = memoryBytesMax * (1 + garbageShare) + garbageBytes;
  let isLooking = false;
  const timer = setInterval(async () => {
    if (isLooking) return;
    isLooking = true;
    const statistics = await worker.getHeapStatistics().catch(() => undefined);
    isLooking = false;
    // Undefined: the thread has ended, and its end is told in another way.
    if (statistics && statistics.used_heap_size > stopAtBytes) {
      clearInterval(timer);
      onOver();
    }
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
