import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { sortMistake, validateSort } from './sort-validator.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-valsort-'));
afterAll(() => rmSync(folder, { recursive: true }));

const record = (key: string, filler = 'x') => `${key.padEnd(10)}${filler.repeat(89)}\n`;
const sorted = ['alpha', 'beta', 'gamma', 'gamma', 'omega'].map((key) => record(key));

let files = 0;
function summaryOf(...parts: readonly (readonly string[])[]) {
  return validateSort(
    parts.map((records) => {
      const path = join(folder, `part-${files++}`);
      writeFileSync(path, records.join(''));
      return path;
    }),
  );
}
const input = summaryOf(sorted.toReversed());

describe('validateSort', () => {
  it('takes the parts of a sort as one, and counts equal keys', () => {
    const output = summaryOf(sorted.slice(0, 2), [], sorted.slice(2));
    expect(sortMistake(input, output)).toBeUndefined();
    expect(output).toMatchObject({ records: 5, duplicateKeys: 1, unorderedAt: undefined });
  });

  it('notices two records that are swapped', () => {
    const output = summaryOf([sorted[0]!, sorted[2]!, sorted[1]!, sorted[3]!, sorted[4]!]);
    expect(sortMistake(input, output)).toBe('record 2 is below the one before it');
  });

  it('notices parts in the wrong order', () => {
    const output = summaryOf(sorted.slice(2), sorted.slice(0, 2));
    expect(sortMistake(input, output)).toBe('record 3 is below the one before it');
  });

  it('notices a record that is missing', () => {
    expect(sortMistake(input, summaryOf(sorted.slice(1)))).toBe('4 records came of 5');
  });

  it('notices a record that is changed behind its key', () => {
    const output = summaryOf([...sorted.slice(0, 4), record('omega', 'y')]);
    expect(sortMistake(input, output)).toBe('the records are not those of the input');
  });

  it('notices a record that came twice in place of another', () => {
    const output = summaryOf([sorted[0]!, sorted[0]!, ...sorted.slice(2)]);
    expect(sortMistake(input, output)).toBe('the records are not those of the input');
  });

  it('adds exactly for more records than a number can sum', () => {
    const path = join(folder, 'many');
    const large = Array.from({ length: 200 }, (_, index) =>
      record('same', String.fromCharCode(48 + (index % 70))),
    )
      .map((text) => ({ text, crc: crc32(text) }))
      .reduce((most, one) => (one.crc > most.crc && one.crc % 2 === 1 ? one : most));
    writeFileSync(path, large.text.repeat(10_000));
    const { checksum, records } = validateSort(Array.from({ length: 300 }, () => path));
    expect(checksum).toBe(BigInt(records) * BigInt(large.crc));
  });

  it('refuses a file that does not consist of whole records', () => {
    expect(() => summaryOf([sorted[0]!, 'half a record'])).toThrow(
      /does not consist of records of 100 bytes/,
    );
  });
});
