/** Records given in a test -> the bytes that the job's input format would have read them from. */
import { MillraceError } from '../../lib/errors.ts';
import type { InputFormat } from '../../lib/formats.ts';
import { wordBytesOf } from '../../lib/word-bytes.ts';

type FixedLength = Extract<InputFormat, { kind: 'fixedLength' }>;

/** One object per entry: a single file, or a file per record for `wholeFile`. */
export function encodeRecords(records: readonly unknown[], format: InputFormat): Buffer[] {
  switch (format.kind) {
    case 'lines':
      return [textOf(records.map((record) => asLine(record)))];
    case 'words':
      return [textOf(records.map((record) => asWord(record, wordBytesOf(format.separators))))];
    case 'jsonl':
      return [textOf(records.map((record) => JSON.stringify(record)))];
    case 'csv':
      return [textOf(csvLines(records, format))];
    case 'wholeFile':
      return records.map((record) => Buffer.from(asString(record)));
    case 'fixedLength':
      return [Buffer.concat(records.map((record) => fixedBytes(record, format)))];
  }
}

function textOf(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

function refuse(record: unknown, expected: string): never {
  throw new MillraceError(
    'invalid-argument',
    `runInline: a record must be ${expected}, got ${typeof record}`,
  );
}

function asString(record: unknown): string {
  return typeof record === 'string' ? record : refuse(record, 'a string');
}

function asLine(record: unknown): string {
  const line = asString(record);
  return /[\r\n]/.test(line) ? refuse(record, 'a string without line ends for lines()') : line;
}

function asWord(record: unknown, wordBytes: Uint8Array): string {
  const word = asString(record);
  const isWord = word !== '' && Buffer.from(word).every((byte) => wordBytes[byte] === 1);
  return isWord ? word : refuse(record, 'one word, with nothing in it that separates words, for words()');
}

function fixedBytes(record: unknown, { bytes, keyBytes }: FixedLength): Uint8Array {
  if (keyBytes === undefined) return asBytes(record, bytes);
  if (!Array.isArray(record) || record.length !== 2) return refuse(record, 'a pair of Uint8Arrays');
  return Buffer.concat([asBytes(record[0], keyBytes), asBytes(record[1], bytes - keyBytes)]);
}

function asBytes(record: unknown, bytes: number): Uint8Array {
  if (record instanceof Uint8Array && record.length === bytes) return record;
  return refuse(record, `a Uint8Array of ${bytes} bytes for fixedLength(${bytes})`);
}

function csvLines(records: readonly unknown[], format: Extract<InputFormat, { kind: 'csv' }>): string[] {
  const line = (fields: readonly unknown[]) => fields.map(quote).join(format.delimiter);
  if (!format.header) return records.map((record) => line(record as readonly unknown[]));
  const header = Object.keys((records[0] ?? {}) as object);
  const rows = records.map((record) => line(header.map((name) => (record as Record<string, unknown>)[name])));
  return records.length === 0 ? [] : [line(header), ...rows];
}

function quote(field: unknown): string {
  return `"${String(field ?? '').replaceAll('"', '""')}"`;
}
