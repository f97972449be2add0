import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../lib/limits.ts';
import { createStores } from '../lib/store/resolve.ts';
import { listInputObjects, listSplits } from './list-splits.ts';

const stores = createStores();
let base: string;
beforeEach(() => {
  base = `mem://${randomUUID()}/`;
});

const put = async (...keys: string[]) => {
  for (const key of keys) await stores.locate(base).store.putIfAbsent(key, Buffer.from(key));
};
const find = async (...patterns: string[]) => {
  const objects = await listInputObjects(
    patterns.map((pattern) => base + pattern),
    stores,
  );
  return objects.map(({ uri }) => decodeURIComponent(uri.slice(base.length)));
};

describe('an input pattern', () => {
  test('names one object', async () => {
    await put('logs/a', 'logs/ab');
    expect(await find('logs/a')).toEqual(['logs/a']);
  });

  test('names a folder, with and without a slash, without its hidden names', async () => {
    await put('logs/b', 'logs/a/c', 'logs/_SUCCESS', 'logs/.x/y', 'logs2/z');
    expect(await find('logs')).toEqual(['logs/a/c', 'logs/b']);
    expect(await find('logs/')).toEqual(['logs/a/c', 'logs/b']);
    expect(await find('')).toEqual(['logs/a/c', 'logs/b', 'logs2/z']);
  });

  test('may spell a hidden name out', async () => {
    await put('_tmp/a', '_tmp/_b');
    expect(await find('_tmp')).toEqual(['_tmp/a']);
    expect(await find('_tmp/_b')).toEqual(['_tmp/_b']);
    expect(await find('_tmp/_*')).toEqual(['_tmp/_b']);
  });

  test('is a glob on the key', async () => {
    await put('logs/a.txt', 'logs/b.gz', 'logs/c/d.txt', 'other/a.txt');
    expect(await find('logs/*.txt')).toEqual(['logs/a.txt']);
    expect(await find('logs/**/*.txt')).toEqual(['logs/a.txt', 'logs/c/d.txt']);
    expect(await find('{logs,other}/a.*')).toEqual(['logs/a.txt', 'other/a.txt']);
    expect(await find('*/')).toEqual(['logs/a.txt', 'logs/b.gz', 'logs/c/d.txt', 'other/a.txt']);
  });

  test('that is the name of an object is no glob', async () => {
    await put('a[1].txt', 'a1.txt');
    expect(await find('a[1].txt')).toEqual(['a[1].txt']);
  });

  test('finds names that are encoded in the URI', async () => {
    await put('a b#.txt');
    expect(await find('a%20b%23.txt')).toEqual(['a b#.txt']);
    expect(await find('*.txt')).toEqual(['a b#.txt']);
  });

  test('keeps the order of the patterns and counts an object once', async () => {
    await put('a', 'b', 'c');
    expect(await find('c', '*', 'a')).toEqual(['c', 'a', 'b']);
  });

  test('that finds nothing is named', async () => {
    await put('a', 'empty/_SUCCESS');
    for (const pattern of ['missing', '*.gz', 'empty']) {
      await expect(find('a', pattern)).rejects.toMatchObject({
        code: 'no-input',
        message: expect.stringContaining(base + pattern),
      });
    }
  });
});

test('listSplits gives splits whose pieces name objects that can be read', async () => {
  await put('in/a b', 'in/c');
  const splits = await listSplits(
    { inputPatterns: [`${base}in`], input: { kind: 'lines' }, splitBytes: 5, maps: undefined, reducers: 1 },
    stores,
  );
  expect(splits.map(({ bytes }) => bytes)).toEqual([3, 3, 4]);
  const piece = splits[0]?.pieces[0];
  const { store, key } = stores.locate(piece?.uri ?? '');
  expect(await store.head(key)).toEqual({ key: 'in/a b', bytes: piece?.objectBytes, etag: piece?.etag });
});

test('more maps times reducers than the limit are refused, with what to change', async () => {
  const reducers = limits.reduceTasksMax;
  const bytesMax = Math.floor(limits.segmentsMax / reducers);
  const listed = async (bytes: number) => {
    await stores.locate(base).store.putIfAbsent(`in/${bytes}`, Buffer.alloc(bytes));
    const inputPatterns = [`${base}in/${bytes}`];
    const input = { kind: 'lines' } as const;
    return listSplits({ inputPatterns, input, splitBytes: 1, maps: undefined, reducers }, stores);
  };
  expect(await listed(bytesMax)).toHaveLength(bytesMax);
  await expect(listed(bytesMax + 1)).rejects.toMatchObject({
    code: 'limit-exceeded',
    message:
      `the number of map tasks times reducers is ${(bytesMax + 1) * reducers}, over the limit of ${limits.segmentsMax}; ` +
      'take larger splits (--split-size) or fewer reducers (-r)',
  });
});
