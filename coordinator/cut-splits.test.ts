import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { InputFormat } from '../lib/formats.ts';
import type { Split } from '../lib/job-spec.ts';
import { limits } from '../lib/limits.ts';
import { cutSplits } from './cut-splits.ts';

const lines: InputFormat = { kind: 'lines' };
const object = (uri: string, bytes: number) => ({ uri, bytes, etag: `etag-${uri}` });
const size = (splitBytes: number) => ({ splitBytes, maps: undefined });
const shape = (splits: Split[]) =>
  splits.map(({ pieces }) => pieces.map(({ uri, start, end }) => `${uri}:${start}-${end}`).join(' '));

describe('cutSplits', () => {
  test('cuts a big object into equal pieces', () => {
    expect(shape(cutSplits([object('a', 10)], lines, size(4)))).toEqual(['a:0-4', 'a:4-7', 'a:7-10']);
  });

  test('packs small objects in order and never reorders', () => {
    const objects = [
      object('a', 3),
      object('b', 3),
      object('c', 5),
      object('d', 20),
      object('e', 1),
      object('f', 1),
    ];
    const wanted = ['a:0-3 b:0-3', 'c:0-5', 'd:0-7', 'd:7-14', 'd:14-20', 'e:0-1 f:0-1'];
    const splits = cutSplits(objects, lines, size(8));
    expect(shape(splits)).toEqual(wanted);
    expect(splits.map(({ bytes }) => bytes)).toEqual([6, 5, 7, 7, 6, 2]);
    expect(splits[2]?.pieces[0]).toEqual({ uri: 'd', start: 0, end: 7, objectBytes: 20, etag: 'etag-d' });
  });

  test('leaves whole what cannot be cut', () => {
    const csv: InputFormat = { kind: 'csv', header: true, delimiter: ',', quotedNewlines: true };
    expect(shape(cutSplits([object('a.gz', 100), object('b.zst', 2)], lines, size(8)))).toEqual([
      'a.gz:0-100',
      'b.zst:0-2',
    ]);
    expect(shape(cutSplits([object('a.csv', 100)], csv, size(8)))).toEqual(['a.csv:0-100']);
    expect(cutSplits([object('a.csv', 100)], { ...csv, quotedNewlines: false }, size(50))).toHaveLength(2);
  });

  test('skips empty objects, except as whole files, where each is a record', () => {
    expect(cutSplits([object('a', 0), object('b', 0)], lines, size(8))).toEqual([]);
    expect(cutSplits([], lines, size(8))).toEqual([]);
    const whole = cutSplits([object('a', 0), object('b', 5), object('c', 0)], { kind: 'wholeFile' }, size(8));
    expect(shape(whole)).toEqual(['a:0-0 b:0-5 c:0-0']);
  });

  test('cuts fixed-length records only between records', () => {
    const format: InputFormat = { kind: 'fixedLength', bytes: 10 };
    expect(shape(cutSplits([object('a', 70)], format, size(35)))).toEqual(['a:0-30', 'a:30-50', 'a:50-70']);
    expect(shape(cutSplits([object('a', 20)], format, size(1)))).toEqual(['a:0-10', 'a:10-20']);
  });

  test('refuses an object that does not hold whole records, naming it and the sizes', () => {
    const format: InputFormat = { kind: 'fixedLength', bytes: 10 };
    expect(() => cutSplits([object('a', 73)], format, size(35))).toThrow(
      /a has 73 bytes.*10 bytes of fixedLength/,
    );
    expect(cutSplits([object('a.gz', 73)], format, size(35))).toHaveLength(1);
  });

  test('makes about as many splits as --maps asks for', () => {
    expect(cutSplits([object('a', 1000)], lines, { splitBytes: 1, maps: 7 })).toHaveLength(7);
    expect(cutSplits([object('a', 3)], lines, { splitBytes: 1, maps: 7 })).toHaveLength(3);
    const many = Array.from({ length: 100 }, (_, index) => object(`o${index}`, 10));
    const splits = cutSplits(many, lines, { splitBytes: 1, maps: 10 });
    expect(splits).toHaveLength(10);
  });

  test('refuses too many map tasks at once, naming --split-size', () => {
    const cut = () => cutSplits([object('a', 1e12)], lines, size(10));
    expect(cut).toThrow(/number of map tasks is 100000000000, over the limit of 1000000; .*--split-size/);
  });

  test('puts a bounded number of objects into one split', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => object(`o${index}`, 1));
    const splits = cutSplits(many, lines, size(limits.splitBytesAutoMax));
    expect(splits.map(({ pieces }) => pieces.length)).toEqual([4096, 4096, 1808]);
  });

  test('covers every byte of every object exactly once, in order, within the size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(300), { maxLength: 12 }),
        fc.integer({ min: 1, max: 100 }),
        (sizes, splitBytes) => {
          const objects = sizes.map((bytes, index) => object(`o${index}`, bytes));
          const splits = cutSplits(objects, lines, size(splitBytes));
          const covered = splits.flatMap(({ pieces }) => pieces);
          const wanted = objects.filter(({ bytes }) => bytes > 0).map(({ uri }) => uri);
          expect([...new Set(covered.map(({ uri }) => uri))]).toEqual(wanted);
          for (const { uri, bytes } of objects) {
            let at = 0;
            for (const piece of covered.filter((one) => one.uri === uri)) {
              expect(piece.start).toBe(at);
              expect(piece.end).toBeGreaterThan(at);
              at = piece.end;
            }
            expect(at).toBe(bytes);
          }
          for (const split of splits) expect(split.bytes).toBeLessThanOrEqual(splitBytes);
        },
      ),
    );
  });
});

test('without a wanted size there are eight splits, of 8 to 32 MiB each', () => {
  const auto = { splitBytes: undefined, maps: undefined };
  const MiB = 1024 * 1024;
  expect(cutSplits([object('a', 200 * MiB)], lines, auto)).toHaveLength(8);
  expect(cutSplits([object('a', 20 * MiB)], lines, auto)).toHaveLength(3);
  expect(cutSplits([object('a', 10_240 * MiB)], lines, auto)).toHaveLength(320);
});
