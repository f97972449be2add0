import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writePairHeader } from '../../lib/codec/pair.ts';
import { MillraceError } from '../../lib/errors.ts';
import { mergeSegments } from '../shuffle/merge.ts';
import { RunWriter } from '../shuffle/run-file.ts';
import type { ScratchSpace } from '../shuffle/scratch-space.ts';
import type { SegmentSource } from '../shuffle/segment-reader.ts';
import { createMapOutput, type MapOutput, type PairCollectorOptions } from './pair-collector.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'scratch-space-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function bytesOnDisk(): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

/** Notes what is held, and throws when there is more on the disk than that. `limitBytes`: no more is given. */
class WatchedSpace implements ScratchSpace {
  heldBytes = 0;
  peakBytes = 0;
  readonly #limitBytes: number;

  constructor(limitBytes = Number.POSITIVE_INFINITY) {
    this.#limitBytes = limitBytes;
  }

  take(bytes: number): void {
    this.check();
    if (this.heldBytes + bytes > this.#limitBytes) throw new MillraceError('no-space', 'full');
    this.heldBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.heldBytes);
  }

  give(bytes: number): void {
    this.heldBytes -= bytes;
    this.check();
  }

  check(): void {
    const found = bytesOnDisk();
    if (found > this.heldBytes) throw new Error(`${found} bytes on the disk, ${this.heldBytes} taken`);
  }
}

function output(space: ScratchSpace, options: Partial<PairCollectorOptions> = {}): MapOutput {
  return createMapOutput({
    directory,
    fileName: 'out',
    partitions: 3,
    partitioning: { kind: 'hash' },
    sortBufferBytes: 64 * 1024,
    mergeFanInMax: 3,
    space,
    ...options,
  });
}

const value = 'x'.repeat(500);

function emit(to: MapOutput, records: number, keys = records): void {
  for (let i = 0; i < records; i++) to.emit(`key ${i % keys}`, value);
}

describe('a map', () => {
  it.each([
    ['without a spill', 50, {}],
    ['with spills in several merges', 2_000, {}],
    ['with a combiner', 2_000, { combine: { kind: 'aggregator', op: 'first' } as const }],
    [
      'with a combine function',
      2_000,
      {
        *combine(key: unknown, values: Iterable<unknown>) {
          for (const one of values) yield [key, one] as const;
        },
      },
    ],
  ])('takes space before it writes, and holds what its file has in the end: %s', (_, records, options) => {
    const space = new WatchedSpace();
    const map = output(space, options);
    emit(map, records, 100);
    const { bytes } = map.finish();
    space.check();
    expect(space.heldBytes).toBe(bytes);
    expect(bytesOnDisk()).toBe(bytes);
  });

  it('needs room for its spills and their merge at once, and no more', () => {
    const space = new WatchedSpace();
    const map = output(space, { mergeFanInMax: 100 });
    emit(map, 2_000);
    const { bytes } = map.finish();
    expect(space.peakBytes).toBeGreaterThan(1.9 * bytes);
    expect(space.peakBytes).toBeLessThan(2.2 * bytes);
  });

  it('does not take room for pairs that its combiner will take away', () => {
    const space = new WatchedSpace(40 * 1024);
    const map = output(space, {
      *combine(key, values) {
        for (const one of values) return yield [key, one];
      },
    });
    emit(map, 2_000, 2);
    expect(map.finish().bytes).toBeLessThan(2_000);
  });

  it.each([5_000, 100_000, 1_100_000])(
    'fails when it is given %i bytes, and leaves no file',
    (limitBytes) => {
      const map = output(new WatchedSpace(limitBytes));
      const run = () => {
        emit(map, 2_000);
        map.finish();
      };
      expect(run).toThrow(expect.objectContaining({ code: 'no-space' }));
      map.abort();
      expect(readdirSync(directory)).toEqual([]);
    },
  );
});

describe('a merge of very many segments', () => {
  function source(index: number): SegmentSource {
    const path = join(directory, `${index}.in`);
    const writer = new RunWriter(path, 1);
    const pair = Buffer.alloc(1_003, 1);
    writePairHeader(pair, 0, 1, 999);
    for (let i = 0; i < 20; i++) writer.append(0, pair, 0, pair.length);
    const [counts] = writer.finish().segments;
    return { kind: 'file', name: path, path, offset: counts!.offset, counts: counts! };
  }

  it('takes space for its temporary runs, and gives that of merged ones back', () => {
    const sources = Array.from({ length: 10 }, (_, index) => source(index));
    const space = new WatchedSpace();
    // What is fetched already has been counted.
    space.heldBytes = bytesOnDisk();
    const before = space.heldBytes;
    let made = 0;
    using merged = mergeSegments(sources, () => join(directory, `${made++}.run`), { fanInMax: 2, space });
    let records = 0;
    while (merged.advance()) records++;
    expect([records, made > 5]).toEqual([200, true]);
    // Files that are open hold their space until the attempt ends; nothing is held twice.
    expect(space.heldBytes - before).toBeGreaterThan(190_000);
    expect(space.heldBytes - before).toBeLessThan(220_000);
  });
});
