/** Which map outputs the store has whole copies of: for a coordinator that was not there when they were made. */
import pLimit from 'p-limit';
import type { AttemptId } from '../lib/ids.ts';
import type { JobSpec } from '../lib/job-spec.ts';
import { limits } from '../lib/limits.ts';
import type { Log } from '../lib/log.ts';
import { attemptOfIndex, copiesOfMap, type MapCopy, pieceUri, readIndex } from '../lib/map-copy.ts';
import type { Stores } from '../lib/store/resolve.ts';

/** At most one per map. What cannot be read is left out: its map runs again. That is logged once, because of a store that is away it is all of them. */
export async function findCopies(
  stores: Stores,
  log: Log,
  spec: JobSpec,
  maps: readonly number[],
): Promise<MapCopy[]> {
  const atOnce = pLimit(limits.copyRequestsAtOnceMax);
  const errors: unknown[] = [];
  const found = await Promise.all(
    maps.map((map) => atOnce(() => findCopy(stores, spec, map, (error) => errors.push(error)))),
  );
  if (errors.length > 0) {
    const about = { job: spec.jobId, unreadable: errors.length, of: maps.length, error: String(errors[0]) };
    log.warn(about, 'copies of map outputs cannot be read: their maps run again');
  }
  return found.filter((copy) => copy !== undefined);
}

/** The copy of the latest attempt that has all its pieces. Their bytes are checked by who reads them. */
async function findCopy(
  stores: Stores,
  spec: JobSpec,
  map: number,
  onError: (error: unknown) => void,
): Promise<MapCopy | undefined> {
  const sizes = new Map<string, number>();
  try {
    const { store, key: prefix } = stores.locate(copiesOfMap(spec, map));
    for await (const { key, bytes } of store.list(prefix)) sizes.set(key, bytes);
  } catch (error) {
    onError(error);
    return undefined;
  }
  const attempts = [...sizes.keys()].flatMap((key) => attemptOfIndex(spec.jobId, key) ?? []);
  for (const attempt of attempts.sort(latestFirst)) {
    try {
      const copy = await readIndex(stores, spec, attempt);
      if (isWhole(copy, (piece) => sizes.get(stores.locate(pieceUri(spec, attempt, piece)).key))) return copy;
    } catch (error) {
      // An earlier attempt may have one that can be read.
      onError(error);
    }
  }
  return undefined;
}

function latestFirst(a: AttemptId, b: AttemptId): number {
  return b.epoch - a.epoch || b.attempt - a.attempt;
}

function isWhole({ report, pieceBytes }: MapCopy, sizeOf: (piece: number) => number | undefined): boolean {
  const total = report.segments.reduce((sum, { bytes }) => sum + bytes, 0);
  for (let piece = 0, at = 0; at < total; piece++, at += pieceBytes) {
    if (sizeOf(piece) !== Math.min(pieceBytes, total - at)) return false;
  }
  return true;
}
