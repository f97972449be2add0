import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PairStream, pairBytes, writePair } from '../../lib/codec/pair.ts';
import { MergeCursor, mergeDown, mergeSegments } from './merge.ts';
import type { SegmentSource } from './segment-reader.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'merge-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

type Pair = readonly [key: Buffer, value: Buffer];

function frame(pairs: readonly Pair[]): Buffer {
  const target = Buffer.alloc(
    pairs.reduce((sum, [key, value]) => sum + pairBytes(key.length, value.length), 0),
  );
  let at = 0;
  for (const [key, value] of pairs) at = writePair(target, at, key, value);
  return target;
}

let files = 0;
function toSource(pairs: readonly Pair[], inFile: boolean): SegmentSource {
  const bytes = frame(pairs);
  const counts = { records: pairs.length, bytes: bytes.length, crc32: crc32(bytes) };
  if (!inFile) return { kind: 'memory', name: 'memory segment', bytes, counts };
  const path = join(directory, `source-${files++}`);
  writeFileSync(path, Buffer.concat([Buffer.alloc(5), bytes, Buffer.alloc(5)]));
  return { kind: 'file', name: path, path, offset: 5, counts };
}

function readAll(stream: PairStream): string[] {
  const read: string[] = [];
  while (stream.advance()) {
    read.push(
      `${stream.bytes.toString('hex', stream.keyStart, stream.keyEnd)}=${stream.bytes.toString('latin1', stream.valueStart, stream.valueEnd)}`,
    );
  }
  return read;
}

/** Keys that collide often, share long prefixes, end in zeros, or are the highest there are. */
const key = fc
  .oneof(
    fc.uint8Array({ maxLength: 3, max: 2 }),
    fc
      .tuple(
        fc.constantFrom('', 'sixsix', 'shared-prefix-', '\xff\xff\xff\xff\xff\xff\xff\xff'),
        fc.uint8Array({ maxLength: 3, max: 3 }),
      )
      .map(([prefix, tail]) => Buffer.concat([Buffer.from(prefix, 'latin1'), tail])),
  )
  .map((raw) => Buffer.from(raw));
const segments = (count: number) =>
  fc.array(fc.tuple(fc.array(key, { maxLength: 30 }), fc.boolean()), { maxLength: count });

/** Sorted pairs per source, each value naming its source and position; and what a merge must give. */
function prepare(drawn: readonly (readonly [readonly Buffer[], boolean])[], valueBytes = 0) {
  const lists = drawn.map(([keys], source) =>
    [...keys]
      .sort(Buffer.compare)
      .map((each, position): Pair => [each, Buffer.from(`${source}.${position}`.padEnd(valueBytes))]),
  );
  const expected = lists
    .flat()
    .map((pair, position) => ({ pair, position }))
    .sort((a, b) => Buffer.compare(a.pair[0], b.pair[0]) || a.position - b.position)
    .map(({ pair }) => `${pair[0].toString('hex')}=${pair[1].toString('latin1')}`);
  return { expected, sources: lists.map((pairs, source) => toSource(pairs, drawn[source]![1])) };
}

describe('MergeCursor', () => {
  it('merges by key bytes, then source, then position, like sorting all of it', () => {
    fc.assert(
      fc.property(segments(20), (drawn) => {
        const { expected, sources } = prepare(drawn);
        using merged = new MergeCursor(sources);
        expect(readAll(merged)).toEqual(expected);
        expect(merged.advance()).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('reads files in chunks smaller than the file, and pairs larger than a chunk', () => {
    fc.assert(
      fc.property(segments(4), fc.constantFrom(700, 40_000), (drawn, valueBytes) => {
        const { expected, sources } = prepare(drawn, valueBytes);
        using merged = new MergeCursor(sources, { memoryBytes: 1 });
        expect(readAll(merged)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  const pairs: Pair[] = [
    [Buffer.from('a'), Buffer.from('1')],
    [Buffer.from('b'), Buffer.from('2')],
  ];
  it.each([true, false])('names the source whose bytes are not those counted (file: %s)', (inFile) => {
    const good = toSource([[Buffer.from('aa'), Buffer.from('0')]], false);
    const source = toSource(pairs, inFile);
    const { counts } = source;
    for (const [wrong, message] of [
      [{ ...counts, crc32: counts.crc32 ^ 1 }, 'wrong crc32'],
      [{ ...counts, records: 3 }, 'has 2 records, not 3'],
      [{ ...counts, bytes: counts.bytes - 1 }, inFile ? 'middle of a pair' : `has ${counts.bytes} bytes`],
    ] as const) {
      const run = () => readAll(new MergeCursor([good, { ...source, counts: wrong }]));
      expect(run).toThrow(message);
      expect(run).toThrow(source.name);
      expect(run).toThrow(expect.objectContaining({ code: 'corrupt' }));
    }
  });

  it('says that a file is cut short, or gone', () => {
    const source = toSource(pairs, true);
    const counts = { ...source.counts, bytes: source.counts.bytes + 100 };
    expect(() => readAll(new MergeCursor([{ ...source, counts }]))).toThrow(
      /source-\d+ is corrupt: it ends at byte/,
    );
    if (source.kind === 'file') rmSync(source.path);
    expect(() => new MergeCursor([source])).toThrow(expect.objectContaining({ code: 'not-found' }));
  });
});

describe('mergeSegments', () => {
  it('gives the same stream through temporary runs, and leaves none of them', () => {
    fc.assert(
      fc.property(segments(40), fc.integer({ min: 2, max: 7 }), (drawn, fanInMax) => {
        const { expected, sources } = prepare(drawn);
        const before = readdirSync(directory).sort();
        let made = 0;
        using merged = mergeSegments(sources, () => join(directory, `temporary-${made++}`), { fanInMax });
        expect(made > 0).toBe(sources.length > fanInMax);
        expect(readdirSync(directory).sort()).toEqual(before);
        expect(readAll(merged)).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('removes its temporary runs when a source is corrupt', () => {
    const good = toSource([[Buffer.from('a'), Buffer.from('1')]], true);
    const bad = { ...good, counts: { ...good.counts, records: 9 } };
    const before = readdirSync(directory).sort();
    let made = 0;
    expect(() =>
      mergeSegments([good, good, good, bad, good], () => join(directory, `t${made++}`), { fanInMax: 2 }),
    ).toThrow('not 9');
    expect(made).toBeGreaterThan(1);
    expect(readdirSync(directory).sort()).toEqual(before);
  });
});

describe('mergeDown', () => {
  it('keeps the order, stays within the fan-in and merges no more than it must', () => {
    for (let count = 0; count < 70; count++) {
      for (const fanInMax of [2, 3, 8]) {
        const groups: number[] = [];
        const list = mergeDown(
          Array.from({ length: count }, (_, index) => [index]),
          fanInMax,
          (group) => {
            groups.push(group.length);
            return group.flat();
          },
        );
        expect(list.length).toBeLessThanOrEqual(fanInMax);
        expect(list.flat()).toEqual(Array.from({ length: count }, (_, index) => index));
        expect(groups.every((size) => size >= 2 && size <= fanInMax)).toBe(true);
      }
    }
    const groups: number[] = [];
    mergeDown(new Array<number>(130).fill(0), 128, (group) => {
      groups.push(group.length);
      return 0;
    });
    expect(groups).toEqual([3]);
  });
});
