/** The object store port in memory: for tests and for jobs that run in one thread. */
import { randomUUID } from 'node:crypto';
import { MillraceError } from '../errors.ts';
import { limits } from '../limits.ts';
import { throwIfAborted } from './abort.ts';
import { checkKey, checkOwner, checkPrefix, compareKeys } from './key.ts';
import type { ObjectInfo, ReadOptions, StagedObject, StageWriter, Store } from './store.ts';

interface StoredObject {
  readonly bytes: Buffer;
  readonly etag: string;
}

interface StagedBytes {
  readonly key: string;
  readonly owner: string;
  readonly bytes: Buffer;
}

export class MemoryStore implements Store {
  /** Objects are replaced, never changed. */
  #objects = new Map<string, StoredObject>();
  /** By token. */
  #staged = new Map<string, StagedBytes>();
  #published = new Set<string>();
  /** Tokens of writers that may still seal. */
  #open = new Set<string>();
  #versions = 0;

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo> {
    checkPrefix(prefix);
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys);
    for (const key of keys) {
      throwIfAborted(signal);
      const object = this.#objects.get(key);
      if (object) yield { key, bytes: object.bytes.length, etag: object.etag };
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key);
    const object = this.#objects.get(key);
    return object && { key, bytes: object.bytes.length, etag: object.etag };
  }

  async *read(key: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    checkKey(key);
    throwIfAborted(options.signal);
    const object = this.#objects.get(key);
    if (!object) throw new MillraceError('not-found', `there is no object ${JSON.stringify(key)}`);
    const end = Math.min(options.end ?? object.bytes.length, object.bytes.length);
    this.#checkEtag(key, options.etag);
    for (let at = options.start ?? 0; at < end; at += limits.readChunkBytes) {
      throwIfAborted(options.signal);
      this.#checkEtag(key, options.etag);
      // A copy: the caller may transfer the chunk to another thread, which would empty a view's buffer.
      yield new Uint8Array(object.bytes.subarray(at, Math.min(at + limits.readChunkBytes, end)));
    }
  }

  async stage(key: string, owner: string): Promise<StageWriter> {
    checkKey(key);
    checkOwner(owner);
    const chunks: Buffer[] = [];
    const token = randomUUID();
    this.#open.add(token);
    return {
      token,
      write: async (bytes) => {
        chunks.push(Buffer.from(bytes));
      },
      seal: async () => {
        const bytes = Buffer.concat(chunks);
        if (this.#open.delete(token)) this.#staged.set(token, { key, owner, bytes });
        return { key, token, bytes: bytes.length };
      },
      abort: async () => {
        chunks.length = 0;
        this.#open.delete(token);
      },
    };
  }

  async publish(staged: StagedObject): Promise<void> {
    if (this.#published.has(staged.token)) return;
    const waiting = this.#staged.get(staged.token);
    if (!waiting || waiting.key !== staged.key) {
      throw new MillraceError(
        'not-found',
        `nothing is staged for ${JSON.stringify(staged.key)} under this token`,
      );
    }
    this.#set(staged.key, waiting.bytes);
    this.#staged.delete(staged.token);
    this.#published.add(staged.token);
  }

  async discard({ token }: Pick<StagedObject, 'key' | 'token'>): Promise<void> {
    this.#staged.delete(token);
    this.#open.delete(token);
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    checkKey(key);
    if (this.#objects.has(key)) return false;
    this.#set(key, Buffer.from(bytes));
    return true;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    checkKey(key);
    this.#set(key, Buffer.from(bytes));
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    this.#objects.delete(key);
  }

  async sweep(prefix: string, owner: string): Promise<void> {
    checkPrefix(prefix);
    checkOwner(owner);
    for (const [token, staged] of this.#staged) {
      if (staged.owner === owner && staged.key.startsWith(prefix)) this.#staged.delete(token);
    }
  }

  #set(key: string, bytes: Buffer): void {
    this.#versions++;
    this.#objects.set(key, { bytes, etag: `v${this.#versions}` });
  }

  #checkEtag(key: string, etag: string | undefined): void {
    if (etag === undefined || this.#objects.get(key)?.etag === etag) return;
    throw new MillraceError('input-changed', `the object ${JSON.stringify(key)} changed since it was listed`);
  }
}
