/** From the input patterns of a job to its splits: list the objects, cut them. */
import { MillraceError } from '../lib/errors.ts';
import type { JobSpec, Split } from '../lib/job-spec.ts';
import { checkLimit, limits } from '../lib/limits.ts';
import type { Stores } from '../lib/store/resolve.ts';
import type { ObjectInfo, Store } from '../lib/store/store.ts';
import { formatUri, parseUri } from '../lib/store/uri.ts';
import { cutSplits, type InputObject } from './cut-splits.ts';
import { hasGlob, isHiddenName, parseGlob } from './glob.ts';

/** The splits of a job in input order; none when all objects are empty. Throws `no-input` when a pattern finds no object. */
export async function listSplits(
  spec: Pick<JobSpec, 'inputPatterns' | 'input' | 'splitBytes' | 'maps' | 'reducers'>,
  stores: Stores,
  signal?: AbortSignal,
): Promise<Split[]> {
  const objects = await listInputObjects(spec.inputPatterns, stores, signal);
  const splits = cutSplits(objects, spec.input, spec);
  checkLimit(
    'the number of map tasks times reducers',
    splits.length * spec.reducers,
    limits.segmentsMax,
    'take larger splits (--split-size) or fewer reducers (-r)',
  );
  return splits;
}

/** The objects that the patterns find: in order of the patterns, then of the keys; each object once. */
export async function listInputObjects(
  patterns: readonly string[],
  stores: Stores,
  signal?: AbortSignal,
): Promise<InputObject[]> {
  const byUri = new Map<string, InputObject>();
  for (const pattern of patterns) {
    const place = parseUri(pattern);
    let isFound = false;
    for await (const info of findObjects(stores.locate(pattern).store, place.key, signal)) {
      isFound = true;
      const uri = formatUri({ ...place, key: info.key });
      if (!byUri.has(uri)) byUri.set(uri, { uri, bytes: info.bytes, etag: info.etag });
      checkLimit(
        'the number of input objects',
        byUri.size,
        limits.inputObjectsMax,
        'give narrower input patterns (-i) or run several jobs',
      );
    }
    if (!isFound) throw nothingFound(pattern, place.key);
  }
  return [...byUri.values()];
}

/** An object of just that name; else what lies in the folder of that name; else what the glob matches. */
async function* findObjects(
  store: Store,
  pattern: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ObjectInfo> {
  const isFolder = pattern === '' || pattern.endsWith('/');
  const exact = isFolder ? undefined : await store.head(pattern);
  if (exact) {
    yield exact;
  } else if (hasGlob(pattern)) {
    const glob = parseGlob(isFolder ? `${pattern}**` : pattern);
    for await (const info of store.list(glob.literalPrefix, signal)) {
      if (glob.matches(info.key)) yield info;
    }
  } else {
    const folder = isFolder ? pattern : `${pattern}/`;
    for await (const info of store.list(folder, signal)) {
      if (!info.key.slice(folder.length).split('/').some(isHiddenName)) yield info;
    }
  }
}

function nothingFound(pattern: string, key: string): MillraceError {
  const what = hasGlob(key) ? 'no object matches' : 'there is no object or folder with objects at';
  return new MillraceError(
    'no-input',
    `${what} the input pattern ${pattern} (names that begin with . or _ are skipped)`,
  );
}
