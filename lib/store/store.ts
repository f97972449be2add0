/**
 * The object store port: what Millrace needs of S3, a folder or memory, and no more. One conformance suite
 * (test/conformance/store.ts) holds every version to this contract. All methods may be called concurrently.
 * Keys are `/`-separated, without a leading slash, `.` or `..` parts, under 1024 bytes, and are ordered by their UTF-8
 * bytes (key.ts); a bad one is `invalid-argument`. An aborted signal throws its own MillraceError or `cancelled`.
 * Errors are MillraceErrors: `not-found`, `input-changed`, `no-space`, `permission-denied`, `unavailable` for a store that does not
 * answer, `corrupt` for a staged object that is not whole, `limit-exceeded` for one that is too large, else `store-failed`.
 */

export interface ObjectInfo {
  readonly key: string;
  readonly bytes: number;
  /** Changes when the object does. Opaque. */
  readonly etag: string;
}

export interface ReadOptions {
  /** First byte; default 0. */
  readonly start?: number;
  /** Exclusive; default the end of the object. Past the end reads to the end. */
  readonly end?: number;
  /** Throws `input-changed` when the object has another etag, now or while reading. */
  readonly etag?: string;
  readonly signal?: AbortSignal;
}

/** Where an unpublished object waits: plain data, so that another process can publish or discard it. */
export interface StagedObject {
  readonly key: string;
  /** The store's own handle: a temporary name or an upload id. */
  readonly token: string;
  readonly bytes: number;
}

/** Bytes on their way to a staged object. `seal` or `abort` ends it; after a `seal` that threw, `abort` still cleans up. */
export interface StageWriter {
  /** Of the staged object it will seal. Known before the first byte is sent, so that it can be noted and discarded if the writer dies. */
  readonly token: string;
  /** Takes the bytes over (the caller must not change them before the promise resolves); waiting on it is the back-pressure. */
  write(bytes: Uint8Array): Promise<void>;
  /** Everything written is held by the store; nothing is visible. */
  seal(): Promise<StagedObject>;
  /** Drops what was written. Never throws for an object that is gone already. */
  abort(): Promise<void>;
}

export interface Store {
  /**
   * Objects whose key starts with `prefix` as text (`logs/a` finds `logs/a.txt` and `logs/abc/d`), ascending by key; never
   * staged ones. A missing prefix lists nothing.
   */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo>;
  /** Undefined when there is no such object. */
  head(key: string): Promise<ObjectInfo | undefined>;
  /** The bytes in order, in chunks of at most 1 MiB; a body that ends short throws. The chunk may be kept by the caller. */
  read(key: string, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /** Starts an object that stays invisible until `publish`. `owner` names the job; it groups what a later `discard` sweeps. */
  stage(key: string, owner: string): Promise<StageWriter>;
  /**
   * Makes a staged object visible under its key, replacing any. Publishing again what is published already succeeds;
   * what was discarded is `not-found`.
   */
  publish(staged: StagedObject): Promise<void>;
  /** Drops a staged object, also one whose writer never sealed it; gone or published already is no error. */
  discard(staged: Pick<StagedObject, 'key' | 'token'>): Promise<void>;
  /** Create-only: false, and nothing changed, when the key exists. The only compare-and-set there is. */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean>;
  /**
   * Replaces the object, or makes it. Readers see the old bytes or the new ones, never a mixture. Nothing may rest on who was last: a put
   * whose answer was lost may still arrive and replace what came after it.
   */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** A missing object is no error. */
  remove(key: string): Promise<void>;
  /**
   * Frees what `stage` of this owner under this prefix left behind, unpublished objects too; for the end of a job. Folders
   * that `stage` itself had to make and that hold nothing are removed, so that a failed job leaves no trace.
   * `keys` are all keys that the owner may have staged: a store that can find what is pending only by its exact key, and does not
   * know whose it is (S3), drops everything pending under them. So only one owner may stage under a key at a time.
   */
  sweep(prefix: string, owner: string, keys: Iterable<string>): Promise<void>;
}

/** A place in some store: what a URI resolves to. */
export interface StoreLocation {
  readonly store: Store;
  /** Of an object; or a prefix: empty, or with a trailing slash, when the URI names a folder. */
  readonly key: string;
  readonly uri: string;
}
