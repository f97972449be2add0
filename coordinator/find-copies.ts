/** Which map outputs the store has whole copies of: for a coordinator that was not there when they were made. */
import pLimit from 'p-limit';
import type { AttemptId } from '../lib/ids.ts';
import type { JobSpec } from '../lib/job-spec.ts';
import { limits } from '../lib/limits.ts';
import type { Log } from '../lib/log.ts';
import {
  attemptOfIndex,
  copiesFolder,
  type MapCopy,
  mapOfCopy,
  pieceUri,
  readIndex,
} from '../lib/map-copy.ts';
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
  const unreadable = (count: number, error: unknown) => {
    const about = { job: spec.jobId, unreadable: count, of: maps.length, error: String(error) };
    log.warn(about, 'copies of map outputs cannot be read: their maps run again');
  };
  let found: Map<number, Sizes>;
  try {
    found = await listCopies(stores, spec, new Set(maps));
  } catch (error) {
    unreadable(maps.length, error);
    return [];
  }
  const onError = (error: unknown) => errors.push(error);
  const copies = await Promise.all(
    [...found.values()].map((sizes) => atOnce(() => findCopy(stores, spec, sizes, onError))),
  );
  if (errors.length > 0) unreadable(errors.length, errors[0]);
  return copies.filter((copy) => copy !== undefined);
}

/** Bytes by key. */
type Sizes = Map<string, number>;

/** By map. One listing for all of them: a folder reads all its names for each. */
async function listCopies(
  stores: Stores,
  spec: JobSpec,
  maps: ReadonlySet<number>,
): Promise<Map<number, Sizes>> {
  const found = new Map<number, Sizes>();
  const { store, key: folder } = stores.locate(copiesFolder(spec));
  for await (const { key, bytes } of store.list(folder)) {
    const map = mapOfCopy(key);
    if (map === undefined || !maps.has(map)) continue;
    const sizes: Sizes = found.get(map) ?? new Map();
    found.set(map, sizes.set(key, bytes));
  }
  return found;
}

/** The copy of the latest attempt that has all its pieces, of one map. Their bytes are checked by who reads them. */
async function findCopy(
  stores: Stores,
  spec: JobSpec,
  sizes: Sizes,
  onError: (error: unknown) => void,
): Promise<MapCopy | undefined> {
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
