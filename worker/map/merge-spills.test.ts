import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pairBytes, writePair } from '../../lib/codec/pair.ts';
import { type RunSummary, RunWriter } from '../shuffle/run-file.ts';
import { unlimitedSpace } from '../shuffle/scratch-space.ts';
import { mergeSpills } from './merge-spills.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'merge-spills-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function writeSpill(name: string, value: string): RunSummary {
  const pair = Buffer.alloc(pairBytes(1, value.length));
  writePair(pair, 0, Buffer.from('k'), Buffer.from(value));
  const writer = new RunWriter(join(folder, name), 2);
  writer.append(1, pair, 0, pair.length);
  return writer.finish();
}

const merge = (runs: readonly RunSummary[]) =>
  mergeSpills(runs, join(folder, 'output.run'), {
    partitions: 2,
    combiner: undefined,
    newPath: () => join(folder, 'merged'),
    space: unlimitedSpace,
  });

test('spills become one run, and are gone', () => {
  const merged = merge([writeSpill('a', 'one'), writeSpill('b', 'two')]);
  expect(merged.segments.map(({ records }) => records)).toEqual([0, 2]);
  expect(readdirSync(folder)).toEqual(['output.run']);
});

test('a whole spill of another attempt in the place of one is corrupt, and no output is made of it', () => {
  const own = [writeSpill('a', 'one'), writeSpill('b', 'two')];
  writeSpill('other', 'six');
  renameSync(join(folder, 'other'), join(folder, 'b'));
  expect(() => merge(own)).toThrow(expect.objectContaining({ code: 'corrupt' }));
  expect(readdirSync(folder).sort()).toEqual(['a', 'b']);
});
