/** The object store of a simulation: one disk in memory, and for each process its own way there, slow, failing, and sometimes untruthful. */
import { MillraceError } from '../../lib/errors.ts';
import { MemoryStore } from '../../lib/store/memory-store.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import type { ObjectInfo, ReadOptions, StagedObject, StageWriter, Store } from '../../lib/store/store.ts';
import { parseUri } from '../../lib/store/uri.ts';
import { type FaultKind, simulatedBy } from './faults.ts';
import type { SimNode } from './schedule.ts';
import { StoreWeather } from './store-weather.ts';
import type { World } from './world.ts';

export const storeName = 'store';
/** What a list that lags does not show yet. */
const listLagMs = 2_000;

interface Staged {
  readonly key: string;
  readonly owner: string;
  readonly innerToken: string;
  readonly by: SimNode;
  /** Undefined while it is being written. */
  sealedAtMs: number | undefined;
}

/** What all see, and what the checker looks at. */
export class SimDisk {
  readonly objects = new MemoryStore();
  /** Not published and not dropped, by token. Tokens are counted here: random ones would differ between two runs of a seed. */
  readonly staged = new Map<string, Staged>();
  /** By token: that of the store in memory. */
  readonly published = new Map<string, string>();
  /** By owner: when what it had staged was last swept away. */
  readonly sweptAtMs = new Map<string, number>();
  /** Tokens whose discard the store has refused. */
  readonly undropped = new Set<string>();
  /** By key: when it was last made or replaced. */
  readonly madeAtMs = new Map<string, number>();
  readonly weather: StoreWeather;
  readonly #world: World;
  #tokens = 0;

  constructor(world: World) {
    this.#world = world;
    this.weather = new StoreWeather(world);
  }

  newToken(): string {
    return `t${this.#tokens++}`;
  }

  /** For whoever sets the scene, and for the checker. */
  get plain(): Store {
    return this.objects;
  }

  storesFor(node: SimNode): Stores {
    const store = new NodeStore(this.#world, node, this);
    return { locate: (uri) => ({ store, key: parseUri(uri).key, uri }) };
  }
}

export class NodeStore implements Store {
  readonly #world: World;
  readonly #node: SimNode;
  readonly #disk: SimDisk;

  constructor(world: World, node: SimNode, disk: SimDisk) {
    this.#world = world;
    this.#node = node;
    this.#disk = disk;
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo> {
    yield* await this.#request('list', prefix, async () => {
      const found: ObjectInfo[] = [];
      for await (const info of this.#disk.objects.list(prefix, signal)) found.push(info);
      return this.#world.faults.strikes('store list lags')
        ? found.filter(({ key }) => this.#isOld(key))
        : found;
    });
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    return this.#request('head', key, () => this.#disk.objects.head(key));
  }

  async *read(key: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const chunks = await this.#request('read', key, async () => {
      const read: Uint8Array[] = [];
      for await (const chunk of this.#disk.objects.read(key, options)) read.push(this.#damaged(key, chunk));
      return read;
    });
    for (const chunk of chunks) {
      if (!this.#world.faults.strikes('store body ends early')) yield chunk;
      else {
        yield chunk.subarray(0, this.#world.random.below(chunk.length));
        const why = simulatedBy('store body ends early');
        throw new MillraceError('store-failed', `the body of ${key} ended early (${why})`);
      }
    }
  }

  stage(key: string, owner: string): Promise<StageWriter> {
    return this.#request('stage', key, async () => {
      const inner = await this.#disk.objects.stage(key, owner);
      const token = this.#disk.newToken();
      const staged = {
        key,
        owner,
        innerToken: inner.token,
        by: this.#node,
        sealedAtMs: undefined as number | undefined,
      };
      this.#disk.staged.set(token, staged);
      return {
        token,
        write: (bytes) => this.#request('write', key, () => inner.write(bytes)),
        seal: () =>
          this.#request('seal', key, async () => {
            const { bytes } = await inner.seal();
            staged.sealedAtMs = this.#world.schedule.nowMs;
            return { key, token, bytes };
          }),
        abort: async () => {
          await inner.abort();
          await this.discard({ key, token }).catch(() => undefined);
        },
      };
    });
  }

  publish(object: StagedObject): Promise<void> {
    return this.#request('publish', object.key, async () => {
      const { staged, published } = this.#disk;
      const innerToken = staged.get(object.token)?.innerToken ?? published.get(object.token) ?? object.token;
      await this.#disk.objects.publish({ ...object, token: innerToken });
      if (staged.delete(object.token)) published.set(object.token, innerToken);
      await this.#made(object.key);
    });
  }

  async discard({ key, token }: Pick<StagedObject, 'key' | 'token'>): Promise<void> {
    this.#disk.undropped.add(token);
    await this.#request('discard', key, async () => {
      this.#disk.undropped.delete(token);
      const staged = this.#disk.staged.get(token);
      if (!staged) return;
      this.#disk.staged.delete(token);
      await this.#disk.objects.discard({ key, token: staged.innerToken });
    });
  }

  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    return this.#request('put-if-absent', key, async () => {
      if (this.#disk.weather.ignoresConditions) {
        await this.#disk.objects.put(key, bytes);
        await this.#made(key);
        return true;
      }
      const isWritten = await this.#disk.objects.putIfAbsent(key, bytes);
      if (!isWritten) return false;
      await this.#made(key);
      return !this.#world.faults.strikes('store says 412 to its own write');
    });
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#request('put', key, async () => {
      await this.#disk.objects.put(key, bytes);
      await this.#made(key);
    });
  }

  remove(key: string): Promise<void> {
    return this.#request('remove', key, () => this.#disk.objects.remove(key));
  }

  /** As S3 does it: only what is pending under those keys is found. */
  sweep(prefix: string, owner: string, keys: Iterable<string>): Promise<void> {
    const looked = new Set(keys);
    return this.#request('sweep', prefix, async () => {
      this.#disk.sweptAtMs.set(owner, this.#world.schedule.nowMs);
      for (const [token, staged] of this.#disk.staged) {
        if (staged.owner === owner && looked.has(staged.key)) this.#disk.staged.delete(token);
      }
    });
  }

  async #made(key: string): Promise<void> {
    this.#disk.madeAtMs.set(key, this.#world.schedule.nowMs);
    await this.#world.checker.becameVisible(this.#node.name, key);
  }

  #isOld(key: string): boolean {
    return (
      (this.#disk.madeAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < this.#world.schedule.nowMs - listLagMs
    );
  }

  /** What the coordinators keep is read with a flipped bit. */
  #damaged(key: string, chunk: Uint8Array): Uint8Array {
    if (!/\/(log|snapshots)\//.test(key) || !this.#world.faults.strikes('journal byte flipped')) return chunk;
    const bytes = Uint8Array.from(chunk);
    const at = this.#world.random.below(bytes.length);
    bytes[at] = bytes[at]! ^ (1 << this.#world.random.below(8));
    return bytes;
  }

  async #request<T>(what: string, key: string, act: () => Promise<T>): Promise<T> {
    const { faults, network } = this.#world;
    const { weather } = this.#disk;
    await this.#travel(what, key, network.blockedMs(this.#node.name, storeName));
    if (faults.strikes('store fails before'))
      throw this.#failure(what, key, '503 before', 'store fails before');
    if (faults.strikes('store says 409'))
      throw this.#failure(what, key, '409, a concurrent request', 'store says 409');
    const { refusal } = weather;
    if (refusal) throw this.#failure(what, key, refusal.why, refusal.kind);
    const answer = await act();
    this.#world.trace(`${this.#node.name} ${what} ${key}`);
    await this.#travel(what, key, network.blockedMs(storeName, this.#node.name));
    if (faults.strikes('store fails after'))
      throw this.#failure(what, key, 'timeout after', 'store fails after');
    return answer;
  }

  /** A store that is out of reach for long is an error, as a client that gives up has it. */
  async #travel(what: string, key: string, blockedMs: number): Promise<void> {
    const slowMs = this.#world.faults.strikes('store slow') ? this.#world.between(100, 4_000) : 0;
    const { delayMs } = this.#disk.weather;
    await this.#node.wait(this.#world.between(0.2, 4) + delayMs + slowMs + Math.min(blockedMs, 5_000));
    if (blockedMs > 5_000) throw this.#failure(what, key, 'no answer', 'store out of reach');
  }

  #failure(what: string, key: string, why: string, kind: FaultKind): MillraceError {
    this.#world.trace(`${this.#node.name} ${what} ${key}: ${why}`);
    return new MillraceError('store-failed', `${what} ${key}: ${why} (${simulatedBy(kind)})`);
  }
}
