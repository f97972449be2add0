/** Whether a store does what Millrace needs of it, tried out on small objects that are removed again. */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../clock.ts';
import type { Finding } from '../diagnosis.ts';
import { MillraceError } from '../errors.ts';
import { examine } from '../examine.ts';
import { collectBytes } from '../iterables.ts';
import type { Store } from './store.ts';

/** At once for one key. A store that looks first and writes then lets two of them through sooner or later. */
const racers = 4;
const checkTimeoutMs = 10_000;
const findingsTimeoutMs = 60_000;

/**
 * Throws `wrong-state` when the store lets a second writer create what is there already: then two coordinators could lead at
 * once. `prefix` is where it may write (with a trailing slash), `uri` names the store in the error.
 */
export async function probeConditionalWrites(store: Store, prefix: string, uri: string): Promise<void> {
  await withKeys(store, prefix, async ({ newKey }) => {
    const violation = await findViolation(store, newKey);
    if (violation === undefined) return;
    throw new MillraceError(
      'wrong-state',
      `cannot lead on ${uri}: the store ignores conditional writes (If-None-Match): ${violation}. Use AWS S3, MinIO ` +
        'as pinned in minio/README.md, or another store that honours them',
    );
  });
}

/**
 * Tries each thing that Millrace does with a store, below `prefix` (with a trailing slash). What fails is a finding, not an
 * exception; when nothing can be written the rest is not tried. The staged object comes first, because a folder store then knows which
 * folders had to be made for this, and takes them away again.
 */
export async function probeStore(store: Store, prefix: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  const check = async (what: string, run: () => Promise<string>): Promise<boolean> => {
    const finding = await examine(`store: ${what}`, systemClock, checkTimeoutMs, run);
    findings.push(finding);
    return finding.ok;
  };
  const tryAll = async ({ newKey, owner }: Probing) => {
    await check('multipart', () => checkStaging(store, newKey, owner));
    const key = newKey();
    const isWritable = await check('put', async () => {
      expectThat(await store.putIfAbsent(key, sample), 'a new object was refused as if it were there');
      return `${sample.length} bytes`;
    });
    if (!isWritable) return;
    await check('get', () => checkRead(store, key, 0, sample.length));
    await check('ranged get', () => checkRead(store, key, 1_000, 1_024));
    await check('list', () => checkListed(store, prefix, key));
    await check('conditional put', async () => {
      const violation = await findViolation(store, newKey);
      expectThat(
        violation === undefined,
        `${violation}: the store ignores If-None-Match, and cannot be led on`,
      );
      return `refused for an object that is there; of ${racers} at once one won`;
    });
    await check('remove', async () => {
      await store.remove(key);
      expectThat((await store.head(key)) === undefined, 'a removed object is still there');
      return 'gone';
    });
  };
  const all = await examine('store: clean up', systemClock, findingsTimeoutMs, async () => {
    await withKeys(store, prefix, tryAll);
    return 'nothing is left';
  });
  // What cannot even be written cannot be removed either, and has been said.
  return all.ok || findings.some(({ ok }) => !ok) ? findings : [...findings, all];
}

/** Enough for a range in its midst. */
const sample = Buffer.from(Array.from({ length: 2_048 }, (_, at) => at % 251));

interface Probing {
  newKey(): string;
  /** Of what is staged. */
  readonly owner: string;
}

/** Removes every object under the keys that `run` asked for, and what is staged there; its own error counts for more than that of the removal. */
async function withKeys(
  store: Store,
  prefix: string,
  run: (probing: Probing) => Promise<void>,
): Promise<void> {
  const owner = `probe-${randomUUID()}`;
  const keys: string[] = [];
  const newKey = () => {
    const key = `${prefix}probe-${randomUUID()}`;
    keys.push(key);
    return key;
  };
  const removeAll = async () => {
    for (const key of keys) await store.remove(key);
    await store.sweep(prefix, owner, keys);
  };
  try {
    await run({ newKey, owner });
  } catch (error) {
    await removeAll().catch(() => undefined);
    throw error;
  }
  await removeAll();
}

/** What a second create-only put did that it must not; undefined for a store that is right. */
async function findViolation(store: Store, newKey: () => string): Promise<string | undefined> {
  const key = newKey();
  const first = Buffer.from('first');
  if (!(await store.putIfAbsent(key, first))) return 'a put of a new object was refused';
  if (await store.putIfAbsent(key, Buffer.from('second'))) return 'a second put replaced what was there';
  if (!(await collectBytes(store.read(key))).equals(first)) return 'a refused put changed what was there';
  const contested = newKey();
  const wins = await Promise.all(
    Array.from({ length: racers }, (_, racer) => store.putIfAbsent(contested, Buffer.from(`racer ${racer}`))),
  );
  const winners = wins.filter((isWinner) => isWinner).length;
  return winners === 1 ? undefined : `of ${racers} puts at once ${winners} succeeded`;
}

async function checkRead(store: Store, key: string, start: number, end: number): Promise<string> {
  const bytes = await collectBytes(store.read(key, { start, end }));
  const wanted = sample.subarray(start, end);
  expectThat(bytes.equals(wanted), `got ${bytes.length} bytes that are not the ${wanted.length} written`);
  return `bytes ${start} to ${end - 1}`;
}

async function checkListed(store: Store, prefix: string, key: string): Promise<string> {
  for await (const object of store.list(prefix)) if (object.key === key) return 'found';
  throw new MillraceError('store-failed', `listing ${prefix} does not show an object that was just written`);
}

async function checkStaging(store: Store, newKey: () => string, owner: string): Promise<string> {
  const stage = async () => {
    const writer = await store.stage(newKey(), owner);
    try {
      await writer.write(sample);
      return await writer.seal();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  };
  const [published, discarded] = [await stage(), await stage()];
  const isVisible = async (key: string) => (await store.head(key)) !== undefined;
  try {
    expectThat(!(await isVisible(published.key)), 'an unpublished object is visible');
    await store.publish(published);
    expectThat(await isVisible(published.key), 'a published object is not visible');
  } finally {
    await store.discard(discarded);
    await store.discard(published);
  }
  expectThat(await isVisible(published.key), 'discarding harmed a published object');
  expectThat(!(await isVisible(discarded.key)), 'a discarded object is visible');
  return 'invisible until published; gone when discarded';
}

function expectThat(condition: boolean, otherwise: string): void {
  if (!condition) throw new MillraceError('store-failed', otherwise);
}
