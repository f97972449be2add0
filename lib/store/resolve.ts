/** From a URI to the store that holds it. */
import { assertNever } from '../assert.ts';
import { MillraceError } from '../errors.ts';
import { FolderStore } from './folder-store.ts';
import { checkPrefix } from './key.ts';
import { LazyStore } from './lazy-store.ts';
import { MemoryStore } from './memory-store.ts';
import { environmentS3Access, type S3Access } from './s3/s3-access.ts';
import type { OnS3Request, S3Connection } from './s3/s3-connection.ts';
import type { Store, StoreLocation } from './store.ts';
import { type ParsedUri, parseUri } from './uri.ts';

export interface Stores {
  /**
   * `file:///abs/path` is the key `abs/path` of one store rooted at `/`; `mem://name/key` the key `key` of the memory store
   * of that name; `s3://bucket/key` the key `key` of that bucket. A folder's URI ends with `/`, and so does its key, which is
   * then a prefix; the root's is empty. Throws `invalid-argument` for any other URI. Whether the store is there shows when it is used.
   */
  locate(uri: string): StoreLocation;
}

export interface StoresOptions {
  /** Where endpoint, region and credentials of S3 come from. Default: the AWS_* variables and files of this process. */
  readonly s3?: S3Access;
  /** For metrics: each request to S3. */
  readonly onRequest?: OnS3Request;
  /** How long an S3 connection may be silent. Default: the limit of that name. */
  readonly socketTimeoutMs?: number;
  /**
   * How long a request to S3 is repeated that failed for a passing reason, while the store is restarted for one. Default: a few times
   * within a second, for whoever waits for the answer.
   */
  readonly patienceMs?: number;
}

const memoryStores = new Map<string, MemoryStore>();

/** The memory store of that name; one for the whole process, but not shared between its threads. */
export function memoryStore(name: string): MemoryStore {
  let store = memoryStores.get(name);
  if (!store) {
    store = new MemoryStore();
    memoryStores.set(name, store);
  }
  return store;
}

/** What opens S3 stores is loaded, and connects, when the first of them is used; they share one connection. */
export function createStores(options: StoresOptions = {}): Stores {
  const folder = new FolderStore('/');
  const buckets = new Map<string, Store>();
  const openBucket = s3Opener(options);
  const bucketStore = (bucket: string): Store => {
    checkBucket(bucket);
    let store = buckets.get(bucket);
    if (!store) {
      store = new LazyStore(() => openBucket(bucket));
      buckets.set(bucket, store);
    }
    return store;
  };
  const storeOf = ({ scheme, authority }: ParsedUri): Store => {
    switch (scheme) {
      case 'file':
        return folder;
      case 'mem':
        return memoryStore(authority);
      case 's3':
        return bucketStore(authority);
      default:
        return assertNever(scheme, 'URI scheme');
    }
  };
  return {
    locate(uri) {
      const parsed = parseUri(uri);
      const store = storeOf(parsed);
      checkPrefix(parsed.key);
      return { store, key: parsed.key, uri };
    },
  };
}

function s3Opener(options: StoresOptions): (bucket: string) => Promise<Store> {
  let connection: Promise<S3Connection> | undefined;
  const connect = async () => {
    const { connectS3 } = await import('./s3/s3-connection.ts');
    const { s3: access = environmentS3Access(), ...others } = options;
    return connectS3({ access, ...others });
  };
  return async (bucket) => {
    const { S3Store } = await import('./s3/s3-store.ts');
    connection ??= connect();
    try {
      return new S3Store(bucket, await connection);
    } catch (error) {
      connection = undefined;
      throw error;
    }
  };
}

/** The names that S3 gives out, and those of its first years. */
function checkBucket(bucket: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/.test(bucket)) return;
  throw new MillraceError(
    'invalid-argument',
    `${JSON.stringify(bucket)} cannot be the name of a bucket: it has 3 to 63 letters, digits, dots and dashes`,
  );
}
