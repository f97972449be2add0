/** The one suite that every version of the object store port must pass. It knows nothing of any of them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MillraceError } from '../../lib/errors.ts';
import type { StagedObject, Store } from '../../lib/store/store.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** All keys of the suite begin with it; ends with `/`. Default: none. */
  readonly prefix?: string;
  cleanup(): Promise<void>;
}

const owner = 'job-1';

/** Registers the suite under `name`; `make` gives an empty store, or an empty prefix of one, for each test. */
export function storeConformance(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of the object store`, () => {
    let made: StoreUnderTest;
    let store: Store;
    const at = (key: string) => (made.prefix ?? '') + key;

    beforeEach(async () => {
      made = await make();
      store = made.store;
    });
    afterEach(() => made.cleanup());

    const stage = async (key: string, content: string | Uint8Array): Promise<StagedObject> => {
      const writer = await store.stage(at(key), owner);
      await writer.write(bytesOf(content));
      return await writer.seal();
    };
    const put = async (key: string, content: string | Uint8Array) => store.publish(await stage(key, content));
    const keys = async (prefix: string) => {
      const found: string[] = [];
      for await (const object of store.list(at(prefix))) found.push(object.key.slice(at('').length));
      return found;
    };
    const text = async (key: string, start?: number, end?: number) => {
      const range = { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
      return Buffer.concat(await collect(store.read(at(key), range))).toString();
    };

    describe('list', () => {
      test('of a missing prefix is empty', async () => {
        expect(await keys('nothing/')).toEqual([]);
        await put('file', 'x');
        expect(await keys('file/')).toEqual([]);
      });

      test('is ascending by the UTF-8 bytes of the key, across folders', async () => {
        const inOrder = [
          'A',
          'a-b',
          'a.txt',
          'a/b',
          'a/c/d',
          'a0',
          'b',
          'é',
          'z/😀',
          '\ufb01',
          '\uffee/x',
          '😀',
        ];
        const wanted = inOrder.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        for (const key of inOrder.toReversed()) await put(key, key);
        expect(await keys('')).toEqual(wanted);
      });

      test('takes the prefix as text, not as a folder', async () => {
        for (const key of ['logs/a', 'logs/a.txt', 'logs/ab/c', 'logs/b', 'log']) await put(key, key);
        expect(await keys('logs/a')).toEqual(['logs/a', 'logs/a.txt', 'logs/ab/c']);
        expect(await keys('logs/')).toEqual(['logs/a', 'logs/a.txt', 'logs/ab/c', 'logs/b']);
        expect(await keys('log')).toEqual(['log', 'logs/a', 'logs/a.txt', 'logs/ab/c', 'logs/b']);
      });

      test('tells size and etag as head does', async () => {
        await put('a', 'four');
        const [listed] = await collect(store.list(at('')));
        expect(listed).toEqual({ key: at('a'), bytes: 4, etag: expect.any(String) });
        expect(await store.head(at('a'))).toEqual(listed);
      });

      test('stops at an aborted signal', async () => {
        await put('a', 'x');
        await expect(collect(store.list(at(''), AbortSignal.abort()))).rejects.toMatchObject({
          code: 'cancelled',
        });
      });

      test('keeps names with spaces, percent signs, question marks and hashes', async () => {
        const odd = ['a b', 'a#b', 'a%20b', 'a?b', 'a+b'];
        for (const key of odd) await put(key, key);
        expect(await keys('')).toEqual(odd.toSorted());
        for (const key of odd) expect(await text(key)).toBe(key);
      });
    });

    describe('read', () => {
      test('gives the whole object or a range, cut at its end', async () => {
        await put('a', '0123456789');
        expect(await text('a')).toBe('0123456789');
        expect(await text('a', 3)).toBe('3456789');
        expect(await text('a', 0, 4)).toBe('0123');
        expect(await text('a', 9, 100)).toBe('9');
        expect(await text('a', 4, 4)).toBe('');
        expect(await text('a', 10)).toBe('');
        expect(await text('a', 11, 20)).toBe('');
      });

      test('gives an empty object as no bytes', async () => {
        await put('empty', '');
        expect(await store.head(at('empty'))).toMatchObject({ bytes: 0 });
        expect(await text('empty')).toBe('');
      });

      test('gives a large object in chunks of at most 1 MiB that stay as they are', async () => {
        const large = Buffer.alloc(3_500_000);
        for (let index = 0; index < large.length; index++) large[index] = (index * 31 + (index >> 12)) & 0xff;
        await put('large', large);
        const chunks = await collect(store.read(at('large')));
        expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(1024 * 1024);
        expect(Buffer.concat(chunks).equals(large)).toBe(true);
        const part = Buffer.concat(
          await collect(store.read(at('large'), { start: 1_000_001, end: 3_000_000 })),
        );
        expect(part.equals(large.subarray(1_000_001, 3_000_000))).toBe(true);
      });

      test('of a missing object is not-found, and head is undefined', async () => {
        await expect(collect(store.read(at('missing')))).rejects.toMatchObject({ code: 'not-found' });
        expect(await store.head(at('missing'))).toBeUndefined();
      });

      test('with the etag of an earlier version is input-changed', async () => {
        await put('a', 'first');
        const first = await store.head(at('a'));
        await put('a', 'second version');
        const second = await store.head(at('a'));
        expect(second?.etag).not.toBe(first?.etag);
        const options = { etag: first?.etag ?? '' };
        await expect(collect(store.read(at('a'), options))).rejects.toMatchObject({ code: 'input-changed' });
        await expect(collect(store.read(at('a'), { etag: second?.etag ?? '' }))).resolves.toHaveLength(1);
      });

      test('stops at a signal aborted before or between chunks', async () => {
        await put('large', Buffer.alloc(3_000_000));
        const aborted = collect(store.read(at('large'), { signal: AbortSignal.abort() }));
        await expect(aborted).rejects.toMatchObject({ code: 'cancelled' });
        const controller = new AbortController();
        const reading = async () => {
          for await (const _ of store.read(at('large'), { signal: controller.signal })) controller.abort();
        };
        await expect(reading()).rejects.toMatchObject({ code: 'cancelled' });
      });
    });

    describe('stage and publish', () => {
      test('a staged object is invisible until it is published', async () => {
        const staged = await stage('out/part', 'content');
        expect(staged).toMatchObject({ key: at('out/part'), bytes: 7 });
        expect(await keys('')).toEqual([]);
        expect(await store.head(at('out/part'))).toBeUndefined();
        await store.publish(staged);
        expect(await keys('')).toEqual(['out/part']);
        expect(await text('out/part')).toBe('content');
      });

      test('writes add up in order', async () => {
        const writer = await store.stage(at('a'), owner);
        for (const piece of ['one,', '', 'two,', 'three']) await writer.write(Buffer.from(piece));
        await store.publish(await writer.seal());
        expect(await text('a')).toBe('one,two,three');
      });

      test('publishing twice succeeds, also after a round trip as JSON', async () => {
        const staged: StagedObject = JSON.parse(JSON.stringify(await stage('a', 'content')));
        await store.publish(staged);
        await store.publish(staged);
        expect(await text('a')).toBe('content');
      });

      test('publishing replaces what is there', async () => {
        await put('a', 'old and longer');
        await put('a', 'new');
        expect(await text('a')).toBe('new');
        expect(await keys('')).toEqual(['a']);
      });

      test('of two staged for one key only the published one counts', async () => {
        const [loser, winner] = [await stage('a', 'loser'), await stage('a', 'winner')];
        await store.publish(winner);
        await store.discard(loser);
        expect(await text('a')).toBe('winner');
      });

      test('discarding before publishing drops it, twice is no error', async () => {
        const staged = await stage('a', 'content');
        await store.discard(staged);
        await store.discard(staged);
        expect(await keys('')).toEqual([]);
        await expect(store.publish(staged)).rejects.toMatchObject({ code: 'not-found' });
      });

      test('discarding after publishing keeps the object', async () => {
        const staged = await stage('a', 'content');
        await store.publish(staged);
        await store.discard(staged);
        expect(await text('a')).toBe('content');
      });

      test('the token of a writer is known before its first byte, and is that of the staged object', async () => {
        const writer = await store.stage(at('a'), owner);
        const { token } = writer;
        await writer.write(Buffer.from('content'));
        expect(await writer.seal()).toEqual({ key: at('a'), token, bytes: 7 });
      });

      test('by the token of a writer that died its bytes are dropped, and nobody can publish them', async () => {
        const writer = await store.stage(at('a'), owner);
        await writer.write(Buffer.from('content'));
        await store.discard({ key: at('a'), token: writer.token });
        // A store may notice at the seal already.
        await writer.seal().catch(() => undefined);
        const staged = { key: at('a'), token: writer.token, bytes: 7 };
        await expect(store.publish(staged)).rejects.toMatchObject({ code: 'not-found' });
        expect(await keys('')).toEqual([]);
      });

      test('aborting a writer leaves nothing', async () => {
        const writer = await store.stage(at('a'), owner);
        await writer.write(Buffer.from('some bytes'));
        await writer.abort();
        await store.sweep(at(''), owner, []);
        expect(await keys('')).toEqual([]);
        expect(await store.head(at('a'))).toBeUndefined();
      });

      test('sweeping drops what the owner staged under the named keys, sealed or not', async () => {
        const staged = [await stage('out/a', 'sealed'), await stage('out/a', 'sealed too')];
        const writer = await store.stage(at('out/b'), owner);
        await writer.write(Buffer.from('not sealed'));
        await store.sweep(at('out/'), owner, [at('out/a'), at('out/b'), at('out/c')]);
        for (const each of staged) {
          await expect(store.publish(each)).rejects.toMatchObject({ code: 'not-found' });
        }
        await writer.abort();
        expect(await keys('')).toEqual([]);
      });

      test('sweeping keeps what is published and what others staged', async () => {
        await put('out/a', 'kept');
        const writer = await store.stage(at('out/b'), 'job-2');
        await writer.write(Buffer.from('theirs'));
        const theirs = await writer.seal();
        await store.sweep(at('out/'), owner, []);
        await store.sweep(at('out/'), owner, []);
        expect(await text('out/a')).toBe('kept');
        await store.publish(theirs);
        expect(await keys('out/')).toEqual(['out/a', 'out/b']);
      });
    });

    describe('put', () => {
      test('makes an object, replaces it with a longer and a shorter one, and changes its etag each time', async () => {
        const etags = new Set<string | undefined>();
        for (const content of ['first', 'second and longer', '3rd', '']) {
          await store.put(at('dir/leader'), Buffer.from(content));
          expect(await text('dir/leader')).toBe(content);
          etags.add((await store.head(at('dir/leader')))?.etag);
        }
        expect(etags.size).toBe(4);
        expect(await keys('')).toEqual(['dir/leader']);
      });

      test('replaces what was created or published, and is refused by nobody who creates only', async () => {
        await store.putIfAbsent(at('a'), Buffer.from('created'));
        await put('b', 'published');
        for (const key of ['a', 'b']) {
          await store.put(at(key), Buffer.from('replaced'));
          expect(await text(key)).toBe('replaced');
          expect(await store.putIfAbsent(at(key), Buffer.from('again'))).toBe(false);
        }
      });

      test('of many at once one stands, whole, and readers meanwhile see whole ones only', async () => {
        const contents = Array.from({ length: 20 }, (_, index) => `${index}-`.repeat(3_000));
        await store.put(at('raced'), Buffer.from(contents[0] ?? ''));
        const puts = Promise.all(contents.map((content) => store.put(at('raced'), Buffer.from(content))));
        const reads = Promise.all(Array.from({ length: 20 }, () => text('raced').catch(changedMeanwhile)));
        for (const read of await reads) if (read !== undefined) expect(contents).toContain(read);
        await puts;
        expect(contents).toContain(await text('raced'));
        expect(await keys('')).toEqual(['raced']);
      });
    });

    describe('putIfAbsent and remove', () => {
      test('the first put wins and the second changes nothing', async () => {
        expect(await store.putIfAbsent(at('dir/log'), Buffer.from('first'))).toBe(true);
        expect(await store.putIfAbsent(at('dir/log'), Buffer.from('second'))).toBe(false);
        expect(await text('dir/log')).toBe('first');
        expect(await keys('')).toEqual(['dir/log']);
      });

      test('of 50 racing writers exactly one wins, and its content stands', async () => {
        const writers = Array.from({ length: 50 }, (_, index) => `writer ${index}`);
        const wins = await Promise.all(
          writers.map((writer) => store.putIfAbsent(at('race/lease'), Buffer.from(writer.repeat(500)))),
        );
        const winners = writers.filter((_, index) => wins[index]);
        expect(winners).toHaveLength(1);
        expect(await text('race/lease')).toBe(winners[0]?.repeat(500));
        expect(await keys('')).toEqual(['race/lease']);
      });

      test('an empty object can be put', async () => {
        expect(await store.putIfAbsent(at('empty'), new Uint8Array(0))).toBe(true);
        expect(await text('empty')).toBe('');
      });

      test('after a remove the key can be put again', async () => {
        await store.putIfAbsent(at('a'), Buffer.from('1'));
        await store.remove(at('a'));
        expect(await store.head(at('a'))).toBeUndefined();
        expect(await store.putIfAbsent(at('a'), Buffer.from('2'))).toBe(true);
      });

      test('removing a missing object is no error', async () => {
        await store.remove(at('missing'));
        await put('a', 'x');
        await store.remove(at('a/below'));
        expect(await keys('')).toEqual(['a']);
      });
    });

    test('a token of another kind of store is refused or unknown', async () => {
      await expect(
        store.publish({ key: at('a'), token: '../../etc/passwd', bytes: 1 }),
      ).rejects.toMatchObject({
        code: expect.stringMatching(/^(invalid-argument|not-found)$/),
      });
    });

    const badKeys = [
      '',
      '/a',
      'a/',
      'a//b',
      './a',
      'a/../b',
      '..',
      'a\0b',
      'x'.repeat(1024),
      'a/.millrace-x/b',
      '\ud800',
    ];
    test.each(badKeys)('the key %j is refused by every method', async (key) => {
      const refused = { code: 'invalid-argument' };
      await expect(store.head(key)).rejects.toMatchObject(refused);
      await expect(collect(store.read(key))).rejects.toMatchObject(refused);
      await expect(store.stage(key, owner)).rejects.toMatchObject(refused);
      await expect(store.putIfAbsent(key, new Uint8Array(1))).rejects.toMatchObject(refused);
      await expect(store.put(key, new Uint8Array(1))).rejects.toMatchObject(refused);
      await expect(store.remove(key)).rejects.toMatchObject(refused);
    });

    test('an owner that is no id is refused', async () => {
      await expect(store.stage(at('a'), '../x')).rejects.toMatchObject({ code: 'invalid-argument' });
      await expect(store.sweep(at(''), 'a/b', [])).rejects.toMatchObject({ code: 'invalid-argument' });
    });
  });
}

/** Undefined for a read that noticed the replacement; anything else is thrown on. */
function changedMeanwhile(error: unknown): undefined {
  if (!(error instanceof MillraceError) || error.code !== 'input-changed') throw error;
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : content;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
