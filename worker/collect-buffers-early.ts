/** Whoever moves bytes makes large buffers that live for a moment: when V8 is to look for them. */
import { setFlagsFromString } from 'node:v8';

/**
 * For this process, and to be called before it has threads. The V8 of Node 24 waits for 128 MB of buffers that nobody holds any more, and
 * by then its limit for memory outside of its heap has begun a full collection, one for every 30 MB: a quarter of the time of a shuffle. With 16 MiB for
 * the young generation, as in Node 22, a scavenge frees them. Node 26 does not know the flag.
 */
export function collectBuffersEarly(): void {
  if (process.versions.v8.startsWith('13.6.')) setFlagsFromString('--scavenger-max-new-space-capacity-mb=8');
}
