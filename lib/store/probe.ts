/** Whether a store does what the port promises: what `millrace doctor` asks, and what a coordinator asks before it leads on one. */
import { randomBytes, randomUUID } from 'node:crypto';
import { systemClock } from '../clock.ts';
import type { Finding } from '../diagnosis.ts';
import { MillraceError } from '../errors.ts';
import { examine } from '../examine.ts';
import { collectBytes } from '../iterables.ts';
import type { Store } from './store.ts';

const checkTimeoutMs = 10_000;
/** All but one at the same time. */
const writers = 5;

/**
 * One finding per operation that a job needs, below `prefix`; nothing is left there. Stops at the first that fails, because the
 * next ones would only fail for the same reason.
 */
export async function probeStore(store: Store, prefix: string): Promise<Finding[]> {
  const probe = new Probe(store, prefix);
  const findings: Finding[] = [];
  for (const [check, look] of probe.checks) {
    const finding = await examine(`store: ${check}`, systemClock, checkTimeoutMs, look);
    findings.push(finding);
    if (!finding.ok) break;
  }
  const cleaned = await examine('store: clean up', systemClock, checkTimeoutMs, () => probe.cleanUp());
  return cleaned.ok ? findings : [...findings, cleaned];
}

/**
 * Throws `wrong-state` when the store lets two writers create the same object: two coordinators would lead on it at once. `uri`
 * names the place in the message. Throws what the store throws when it cannot be asked.
 */
export async function probeConditionalWrites(store: Store, prefix: string, uri: string): Promise<void> {
  const probe = new Probe(store, prefix);
  try {
    await probe.putTwice();
  } catch (error) {
    const { code, message } = MillraceError.from(error);
    throw new MillraceError(code, `a coordinator cannot lead on ${uri}: ${message}`, { cause: error });
  } finally {
    await probe.cleanUp();
  }
}

class Probe {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #owner = randomUUID();
  readonly #bytes = randomBytes(1_000);

  constructor(store: Store, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  /**
   * In the order of what builds on what. The staged object is first, because a folder store then knows which folders had to be made for
   * this, and takes them away again.
   */
  readonly checks: readonly (readonly [string, () => Promise<string>])[] = [
    ['multipart', () => this.#stage()],
    ['put', () => this.#put()],
    ['get', () => this.#get()],
    ['ranged get', () => this.#getRange()],
    ['list', () => this.#list()],
    ['conditional put', () => this.putTwice()],
    ['remove', () => this.#remove()],
  ];

  get #object() {
    return `${this.#prefix}object`;
  }

  async #put(): Promise<string> {
    const created = await this.#store.putIfAbsent(this.#object, this.#bytes);
    expect(created, 'says that a new object exists already');
    return 'created';
  }

  async #get(): Promise<string> {
    expect((await this.#read()).equals(this.#bytes), 'gives back other bytes than were put');
    return 'the same bytes';
  }

  async #getRange(): Promise<string> {
    const middle = await collectBytes(this.#store.read(this.#object, { start: 100, end: 200 }));
    expect(middle.equals(this.#bytes.subarray(100, 200)), 'gives back other bytes than the range asked for');
    return 'the bytes asked for';
  }

  async #list(): Promise<string> {
    expect(await this.#isListed(this.#object), 'does not list an object that it holds');
    return 'the new object is listed';
  }

  async putTwice(): Promise<string> {
    const key = `${this.#prefix}once`;
    const contents = Array.from({ length: writers }, () => randomBytes(16));
    const [late, ...racing] = contents;
    const created = await Promise.all(racing.map((bytes) => this.#store.putIfAbsent(key, bytes)));
    created.unshift(await this.#store.putIfAbsent(key, late!));
    const winners = contents.filter((_, i) => created[i]);
    expect(
      winners.length === 1,
      `ignores conditional writes: ${winners.length} of ${writers} writers created the same object (If-None-Match: *); ` +
        'use an S3 that honours them, such as AWS or the MinIO of docker-compose.yml',
    );
    const kept = await collectBytes(this.#store.read(key));
    expect(kept.equals(winners[0]!), 'keeps other bytes than those of the writer that won');
    return `one of ${writers} writers wins`;
  }

  async #stage(): Promise<string> {
    const key = `${this.#prefix}staged`;
    const staged = await this.#stageOne(key);
    expect(!(await this.#isListed(key)), 'shows an object before it is published');
    await this.#store.publish(staged);
    expect(await this.#isListed(key), 'does not show an object that is published');
    const other = `${this.#prefix}discarded`;
    await this.#store.discard(await this.#stageOne(other));
    expect(!(await this.#isListed(other)), 'shows an object that was discarded');
    return 'hidden until it is published, gone when discarded';
  }

  async #remove(): Promise<string> {
    await this.#store.remove(this.#object);
    expect(!(await this.#isListed(this.#object)), 'still lists an object that was removed');
    return 'removed';
  }

  async cleanUp(): Promise<string> {
    const keys = ['object', 'once', 'staged', 'discarded'].map((name) => `${this.#prefix}${name}`);
    for (const key of keys) await this.#store.remove(key);
    await this.#store.sweep(this.#prefix, this.#owner, keys);
    return 'nothing is left';
  }

  async #stageOne(key: string) {
    const writer = await this.#store.stage(key, this.#owner);
    await writer.write(Buffer.from(this.#bytes));
    return writer.seal();
  }

  #read(): Promise<Buffer> {
    return collectBytes(this.#store.read(this.#object));
  }

  async #isListed(key: string): Promise<boolean> {
    for await (const object of this.#store.list(key)) if (object.key === key) return true;
    return false;
  }
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new MillraceError('wrong-state', `the store ${otherwise}`);
}
