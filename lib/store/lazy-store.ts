/** A store that is opened when it is first used: nobody pays for loading what a job does not need. */
import type { ObjectInfo, ReadOptions, StagedObject, StageWriter, Store } from './store.ts';

export class LazyStore implements Store {
  readonly #open: () => Promise<Store>;
  #opened: Promise<Store> | undefined;

  /** `open` is called again after it failed. */
  constructor(open: () => Promise<Store>) {
    this.#open = open;
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo> {
    yield* (await this.#store()).list(prefix, signal);
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    return (await this.#store()).head(key);
  }

  async *read(key: string, options?: ReadOptions): AsyncGenerator<Uint8Array> {
    yield* (await this.#store()).read(key, options);
  }

  async stage(key: string, owner: string): Promise<StageWriter> {
    return (await this.#store()).stage(key, owner);
  }

  async publish(staged: StagedObject): Promise<void> {
    await (await this.#store()).publish(staged);
  }

  async discard(staged: Pick<StagedObject, 'key' | 'token'>): Promise<void> {
    await (await this.#store()).discard(staged);
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    return (await this.#store()).putIfAbsent(key, bytes);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await (await this.#store()).put(key, bytes);
  }

  async remove(key: string): Promise<void> {
    await (await this.#store()).remove(key);
  }

  async sweep(prefix: string, owner: string, keys: Iterable<string>): Promise<void> {
    await (await this.#store()).sweep(prefix, owner, keys);
  }

  #store(): Promise<Store> {
    this.#opened ??= this.#open().catch((error) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }
}
