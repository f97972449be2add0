import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createStores, memoryStore } from './resolve.ts';
import { fileUri, formatUri, parseUri, uriToPath } from './uri.ts';

describe('file URIs', () => {
  test.each([
    ['/logs/a.txt', 'file:///logs/a.txt'],
    ['/a b/c#d/e?f/100%', 'file:///a%20b/c%23d/e%3Ff/100%25'],
    ['/é/😀', 'file:///%C3%A9/%F0%9F%98%80'],
    ['/logs/*.gz', 'file:///logs/*.gz'],
    ['/out/', 'file:///out/'],
  ])('%s becomes %s and back', (path, uri) => {
    expect(fileUri(path)).toBe(uri);
    expect(uriToPath(uri)).toBe(path);
  });

  test('any path survives the way there and back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const path = `/${text.toWellFormed()}`;
        expect(uriToPath(fileUri(path))).toBe(path);
      }),
    );
  });

  test('a question mark and a hash written plainly belong to the name', () => {
    expect(uriToPath('file:///a?b#c')).toBe('/a?b#c');
  });

  test.each(['relative/path', 'file://host/path', 'http://x/y', 'mem:///key', 's3://', 'file:///100%'])(
    '%s is refused',
    (uri) => {
      expect(() => parseUri(uri)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    },
  );

  test('s3 keys are taken as they stand', () => {
    const uri = 's3://bucket/a%20b c';
    expect(parseUri(uri)).toEqual({ scheme: 's3', authority: 'bucket', key: 'a%20b c' });
    expect(formatUri(parseUri(uri))).toBe(uri);
  });
});

describe('createStores', () => {
  const stores = createStores();

  test('gives one folder store for all file URIs, with the path as key', () => {
    const first = stores.locate('file:///tmp/a%20b');
    expect(first).toMatchObject({ key: 'tmp/a b', uri: 'file:///tmp/a%20b' });
    expect(stores.locate('file:///out/')).toMatchObject({ key: 'out/', store: first.store });
    expect(stores.locate('file:///').key).toBe('');
  });

  test('gives the same memory store for a name in the whole process', () => {
    expect(stores.locate('mem://one/key')).toMatchObject({ key: 'key', store: memoryStore('one') });
    expect(createStores().locate('mem://one/').store).toBe(memoryStore('one'));
    expect(stores.locate('mem://two/key').store).not.toBe(memoryStore('one'));
  });

  test.each([
    's3://UPPER CASE/key',
    's3://b/key',
    's3://bucket/a//b',
    'file:///a/../b',
    'file:////a',
    'ftp://x/y',
  ])('%s is refused', (uri) => {
    expect(() => stores.locate(uri)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });

  test('s3 URIs name a key of the store of their bucket', () => {
    expect(stores.locate('s3://bucket/logs/a b')).toMatchObject({ key: 'logs/a b' });
    expect(stores.locate('s3://bucket/').key).toBe('');
    expect(stores.locate('s3://bucket/a').store).toBe(stores.locate('s3://bucket/b').store);
    expect(stores.locate('s3://bucket/a').store).not.toBe(stores.locate('s3://other-bucket/a').store);
  });
});
