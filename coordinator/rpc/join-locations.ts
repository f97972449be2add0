/** Maps end one by one, each with a message to every worker that fetches: those that wait to be sent go as one. */
import type { Locations } from '../../proto/gen/millrace/v1/Locations.ts';

/**
 * Adds `next` to `before`, which was to be sent just before it. False, and nothing changed, when the two say something together that they do not
 * say one after the other, or would be too large.
 */
export function joinLocations(before: Locations | undefined, next: Locations, foundMax: number): boolean {
  if (!before || before.jobId !== next.jobId || before.found!.length + next.found!.length > foundMax)
    return false;
  if (before.lost!.length > 0 || next.lost!.length > 0) return false;
  const isOfSame =
    before.reduces!.length === next.reduces!.length &&
    next.reduces!.every((reduce, at) => before.reduces![at] === reduce);
  if (!isOfSame) return false;
  before.version = next.version!;
  before.found!.push(...next.found!);
  for (const peer of next.peers!) {
    if (!before.peers!.some(({ worker }) => worker === peer.worker)) before.peers!.push(peer);
  }
  return true;
}
