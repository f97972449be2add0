/** Which map outputs the store has whole copies of: for a coordinator that was not there when they were made. */
import pLimit from 'p-limit';
import type { AttemptId } from '../lib/ids.ts';
import type { JobSpec } from '../lib/job-spec.ts';
import { limits } from '../lib/limits.ts';
import type { Log } from '../lib/log.ts';
import { attemptOfIndex, copiesOfMap, type MapCopy, pieceUri, readIndex } from '../lib/map-copy.ts';
import type { Stores } from '../lib/store/resolve.ts';

/** At most one per map. What cannot be read is left out, and logged: its map runs again. */
export async function findCopies(
  stores: Stores,
  log: Log,
  spec: JobSpec,
  maps: readonly number[],
): Promise<MapCopy[]> {
  const atOnce = pLimit(limits.copyRequestsAtOnceMax);
  const found = await Promise.all(
    maps.map((map) =>
      atOnce(async () => {
        try {
          return await findCopy(stores, spec, map);
        } catch (error) {
          log.warn({ job: spec.jobId, error: String(error) }, `the copies of m${map} cannot be used`);
          return undefined;
        }
      }),
    ),
  );
  return found.filter((copy) => copy !== undefined);
}

/** The copy of the latest attempt that has all its pieces. Their bytes are checked by who reads them. */
async function findCopy(stores: Stores, spec: JobSpec, map: number): Promise<MapCopy | undefined> {
  const { store, key: prefix } = stores.locate(copiesOfMap(spec, map));
  const sizes = new Map<string, number>();
  for await (const { key, bytes } of store.list(prefix)) sizes.set(key, bytes);
  const attempts = [...sizes.keys()].flatMap((key) => attemptOfIndex(spec.jobId, key) ?? []);
  for (const attempt of attempts.sort(latestFirst)) {
    const copy = await readIndex(stores, spec, attempt);
    if (isWhole(copy, (piece) => sizes.get(stores.locate(pieceUri(spec, attempt, piece)).key))) return copy;
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
