import { describe, expect, it } from 'vitest';
import { cutRecords, recordToJson } from './write-records.ts';

const lines = { kind: 'lines', compression: 'none' } as const;
const triples = { kind: 'fixedLength', bytes: 3, compression: 'none' } as const;

describe('cutRecords', () => {
  it('ends behind the newline of the last record wanted', () => {
    expect(cutRecords(Buffer.from('ab\ncd\nef\n'), lines, 2, 0)).toEqual({ end: 6, records: 2, partial: 0 });
  });

  it('takes all of a chunk that holds fewer', () => {
    expect(cutRecords(Buffer.from('ab\ncd'), lines, 2, 0)).toEqual({ end: 5, records: 1, partial: 0 });
  });

  it('counts records of fixed length that go over two chunks', () => {
    expect(cutRecords(Buffer.from('aaab'), triples, 9, 0)).toEqual({ end: 4, records: 1, partial: 1 });
    expect(cutRecords(Buffer.from('bbccc'), triples, 1, 1)).toEqual({ end: 2, records: 1, partial: 0 });
  });
});

it('writes what JSON does not have as text', () => {
  expect(recordToJson({ n: 12n, bytes: Buffer.from('hi'), at: new Date(0) })).toBe(
    '{"n":"12","bytes":"aGk=","at":"1970-01-01T00:00:00.000Z"}',
  );
});
