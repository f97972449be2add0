/** A full buffer becomes one sorted run on disk. */

import { failpoint } from '../../lib/failpoints.ts';
import { type RunSummary, RunWriter } from '../shuffle/run-file.ts';
import type { ScratchSpace } from '../shuffle/scratch-space.ts';
import { type Combiner, writePairs } from './combine.ts';
import type { SortBuffer } from './sort-buffer.ts';

/**
 * Sorts the buffer, writes it to `path`, combined if there is a combiner, and clears it. Leaves no file behind when it throws. How much a
 * combiner leaves is not known before, so only without one all the room is taken at once.
 */
export function spill(
  buffer: SortBuffer,
  path: string,
  partitions: number,
  combiner: Combiner | undefined,
  space: ScratchSpace,
): RunSummary {
  const pairBytes = combiner === undefined ? buffer.bytes : undefined;
  const writer = new RunWriter(path, partitions, { space, pairBytes });
  try {
    writePairs(buffer.sorted(), writer, combiner);
    const run = writer.finish();
    failpoint('map.spilled');
    buffer.clear();
    return run;
  } catch (thrown) {
    writer.abort();
    throw thrown;
  }
}
