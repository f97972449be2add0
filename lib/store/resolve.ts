/** From a URI to the store that holds it. */
import { MillraceError } from '../errors.ts';
import { FolderStore } from './folder-store.ts';
import { checkPrefix } from './key.ts';
import { MemoryStore } from './memory-store.ts';
import type { Store, StoreLocation } from './store.ts';
import { parseUri } from './uri.ts';

export interface Stores {
  /**
   * `file:///abs/path` is the key `abs/path` of one store rooted at `/`; `mem://name/key` the key `key` of the memory store
   * of that name. A folder's URI ends with `/`, and so does its key, which is then a prefix; the root's is empty.
   * Throws `invalid-argument` for any other URI.
   */
  locate(uri: string): StoreLocation;
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

export function createStores(): Stores {
  const folder = new FolderStore('/');
  const storeOf = (scheme: string, authority: string): Store => {
    if (scheme === 'file') return folder;
    if (scheme === 'mem') return memoryStore(authority);
    throw new MillraceError(
      'invalid-argument',
      `${scheme}:// is not supported by this version; use file:///`,
    );
  };
  return {
    locate(uri) {
      const { scheme, authority, key } = parseUri(uri);
      const store = storeOf(scheme, authority);
      checkPrefix(key);
      return { store, key, uri };
    },
  };
}
