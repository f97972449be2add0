/** For the time of one simulation, buffers that a small job can fill: so maps spill, and what reduces fetch lies on their disks. */
import { limits } from '../../lib/limits.ts';
import type { Random } from '../core/fake-cluster.ts';

/** Returns what gives them back their size. */
export function smallBuffers(random: Random): () => void {
  const { sortBufferBytesDefault, fetchMemoryBytesDefault } = limits;
  const set = (buffers: Partial<Record<keyof typeof limits, number>>) => void Object.assign(limits, buffers);
  set({
    // The least that it takes; the usual one would cost a simulation more time than all else that a map does.
    sortBufferBytesDefault: random.chance(0.5) ? 4 * 1024 : 64 * 1024,
    fetchMemoryBytesDefault: random.chance(0.4) ? 64 : fetchMemoryBytesDefault,
  });
  return () => set({ sortBufferBytesDefault, fetchMemoryBytesDefault });
}
