/** One encoder per output format: from a record to the text or bytes that stand for it in a part. */
import { assertNever } from '../assert.ts';
import type { OutputFormat } from '../formats.ts';
import { ColumnTypes } from './columns.ts';
import {
  type EncodePair,
  fixedLengthPairEncoder,
  jsonlPairEncoder,
  linesPairEncoder,
  tsvPairEncoder,
} from './encode-pair.ts';
import { jsonText, notEncodable } from './json-text.ts';

export interface RecordEncoder {
  /** Throws `not-encodable` for a record that the format cannot hold. */
  encode(record: unknown): string | Uint8Array;
  /** The same for the record `[key, value]` of an encoded pair. */
  readonly encodePair: EncodePair;
  /** For `StagedPart.columns`. */
  columns(): readonly string[];
}

export function createEncoder(format: OutputFormat): RecordEncoder {
  switch (format.kind) {
    case 'tsv':
      return new TsvEncoder();
    case 'jsonl':
      return {
        encode: (record) => `${jsonText(record)}\n`,
        encodePair: jsonlPairEncoder(),
        columns: () => [],
      };
    case 'lines':
      return { encode: encodeLine, encodePair: linesPairEncoder(), columns: () => [] };
    case 'fixedLength':
      return {
        encode: (record) => encodeBytes(record, format.bytes),
        encodePair: fixedLengthPairEncoder(format.bytes),
        columns: () => [],
      };
    default:
      return assertNever(format, 'output format');
  }
}

/** An array is a row of fields, anything else a row of one. */
class TsvEncoder implements RecordEncoder {
  readonly #types = new ColumnTypes();
  readonly encodePair = tsvPairEncoder(this.#types);

  encode(record: unknown): string {
    const isArray = Array.isArray(record);
    this.#types.noteRecord(isArray);
    if (!isArray) return `${this.#field(record, 0, record)}\n`;
    if (record.length === 0) throw notEncodable(record, 'a tsv() row needs at least one field');
    let line = this.#field(record[0], 0, record);
    for (let index = 1; index < record.length; index++)
      line += `\t${this.#field(record[index], index, record)}`;
    return `${line}\n`;
  }

  columns(): readonly string[] {
    return this.#types.toList();
  }

  #field(value: unknown, index: number, record: unknown): string {
    const types = this.#types;
    switch (typeof value) {
      case 'string':
        if (/[\t\n\r]/.test(value)) throw badField(value, index, record);
        types.noteField(index, 'string');
        return value;
      case 'number':
        types.noteNumber(index, value);
        return Object.is(value, -0) ? '-0' : String(value);
      case 'bigint':
      case 'boolean':
        types.noteField(index, typeof value === 'bigint' ? 'bigint' : 'boolean');
        return String(value);
      case 'undefined':
        types.noteNull(index);
        return '';
      case 'object':
        return this.#objectField(value, index);
      default:
        throw notEncodable(record, `field ${index + 1} is a ${typeof value}`);
    }
  }

  #objectField(value: object | null, index: number): string {
    if (value === null) {
      this.#types.noteNull(index);
      return '';
    }
    if (value instanceof Uint8Array) {
      this.#types.noteField(index, 'bytes');
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    }
    this.#types.noteField(index, 'json');
    return jsonText(value);
  }
}

function badField(value: string, index: number, record: unknown): Error {
  const what = value.includes('\t') ? 'a tab' : value.includes('\n') ? 'a newline' : 'a carriage return';
  return notEncodable(record, `field ${index + 1} holds ${what}, which tsv() cannot store; use jsonl()`);
}

/**
 * A scalar is the line. Of a pair `[key, value]` the key is, with the value behind a tab unless there is nothing to say:
 * null, undefined, '' or true, as a job yields that only wants keys. Objects become JSON text.
 */
function encodeLine(record: unknown): string {
  if (!Array.isArray(record)) return `${lineText(record, record)}\n`;
  if (record.length !== 1 && record.length !== 2) {
    throw notEncodable(record, `lines() takes a value or a [key, value] pair, not ${record.length} values`);
  }
  const [key, value] = record as [unknown, unknown];
  const text = lineText(key, record);
  const isBare = value === null || value === undefined || value === '' || value === true;
  return isBare ? `${text}\n` : `${text}\t${lineText(value, record)}\n`;
}

function lineText(value: unknown, record: unknown): string {
  if (typeof value === 'string') {
    if (value.includes('\n'))
      throw notEncodable(record, 'it holds a newline, which lines() cannot store; use jsonl()');
    return value;
  }
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value);
  if (typeof value === 'object' && value !== null) return jsonText(value);
  throw notEncodable(
    record,
    `lines() cannot write ${value === null ? 'null' : `a value of type ${typeof value}`}`,
  );
}

/** `n` bytes; or a pair of byte arrays that are `n` bytes together, or of one and null. */
function encodeBytes(record: unknown, recordBytes: number): Uint8Array {
  const bytes = isBytesPair(record) ? bytesOfPair(record) : record;
  if (!(bytes instanceof Uint8Array)) {
    throw notEncodable(record, `fixedLength(${recordBytes}) takes a Uint8Array or a pair of them`);
  }
  if (bytes.length === recordBytes) return bytes;
  throw notEncodable(
    record,
    `it has ${bytes.length} bytes, fixedLength(${recordBytes}) needs ${recordBytes}`,
  );
}

function isBytesPair(record: unknown): record is [Uint8Array, Uint8Array | null] {
  if (!Array.isArray(record) || record.length !== 2 || !(record[0] instanceof Uint8Array)) return false;
  return record[1] === null || record[1] instanceof Uint8Array;
}

function bytesOfPair([key, value]: readonly [Uint8Array, Uint8Array | null]): Uint8Array {
  return value === null ? key : Buffer.concat([key, value]);
}
