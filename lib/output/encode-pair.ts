/**
 * Output records `[key, value]` straight from the encoded bytes of a pair: one encoder per format, which writes just what encode-record.ts
 * makes of the decoded record, for keys and values that are text, bytes, numbers, booleans or null. Anything else, and any record that
 * the format refuses, is left to that: one place knows the rare forms and the errors.
 */
import { copyBytes, type EncodedPair } from '../codec/pair.ts';
import { ScalarView } from '../codec/scalar-view.ts';
import type { ColumnTypes } from './columns.ts';

/** The pair was not written: its record is to be decoded and encoded. */
export const notPlain = -1;

/** An output record is longer than its pair by less than this. */
export const pairSlackBytes = 64;

/**
 * Writes the output record at `at` and returns the position after it, or `notPlain` (`target` may be dirty then). There must be room
 * for the bytes of the pair and `pairSlackBytes` more.
 */
export type EncodePair = (pair: EncodedPair, target: Buffer, at: number) => number;

const newline = 10;
const tab = 9;
const carriageReturn = 13;
const quote = 34;
const backslash = 92;
/** Looking for a byte in place is faster than a call into native code up to about so many. */
const inPlaceBytesMax = 32;

export function linesPairEncoder(): EncodePair {
  const view = new ScalarView();
  return (pair, target, at) => {
    view.readKey(pair);
    const keyEnd = putLineText(view, pair.bytes, target, at);
    view.readValue(pair);
    if (keyEnd < 0) return notPlain;
    if (isNothingToSay(view)) return endLine(target, keyEnd);
    target[keyEnd] = tab;
    return endLine(target, putLineText(view, pair.bytes, target, keyEnd + 1));
  };
}

function isNothingToSay({ kind, start, end }: ScalarView): boolean {
  return kind === 'null' || kind === 'true' || (kind === 'text' && start === end);
}

function putLineText(view: ScalarView, bytes: Buffer, target: Buffer, at: number): number {
  switch (view.kind) {
    case 'text': {
      copyBytes(bytes, view.start, view.end, target, at);
      const end = at + view.end - view.start;
      return holdsByte(target, at, end, newline) ? notPlain : end;
    }
    case 'number':
      return putAscii(String(view.number), target, at);
    case 'true':
    case 'false':
      return putAscii(view.kind, target, at);
    default:
      return notPlain;
  }
}

/** `types` are those of the part: the fields are noted there. */
export function tsvPairEncoder(types: ColumnTypes): EncodePair {
  const view = new ScalarView();
  return (pair, target, at) => {
    types.noteRecord(true);
    view.readKey(pair);
    const keyEnd = putField(view, pair.bytes, target, at, 0, types);
    if (keyEnd < 0) return notPlain;
    target[keyEnd] = tab;
    view.readValue(pair);
    return endLine(target, putField(view, pair.bytes, target, keyEnd + 1, 1, types));
  };
}

function putField(
  view: ScalarView,
  bytes: Buffer,
  target: Buffer,
  at: number,
  column: number,
  types: ColumnTypes,
): number {
  switch (view.kind) {
    case 'text': {
      copyBytes(bytes, view.start, view.end, target, at);
      const end = at + view.end - view.start;
      if (holdsByte(target, at, end, tab) || holdsByte(target, at, end, newline)) return notPlain;
      if (holdsByte(target, at, end, carriageReturn)) return notPlain;
      types.noteField(column, 'string');
      return end;
    }
    case 'number':
      if (Object.is(view.number, -0)) return notPlain;
      types.noteNumber(column, view.number);
      return putAscii(String(view.number), target, at);
    case 'true':
    case 'false':
      types.noteField(column, 'boolean');
      return putAscii(view.kind, target, at);
    case 'null':
      types.noteNull(column);
      return at;
    default:
      return notPlain;
  }
}

export function jsonlPairEncoder(): EncodePair {
  const view = new ScalarView();
  return (pair, target, at) => {
    view.readKey(pair);
    const keyEnd = putJson(view, pair.bytes, target, putAscii('[', target, at));
    if (keyEnd < 0) return notPlain;
    view.readValue(pair);
    const valueEnd = putJson(view, pair.bytes, target, putAscii(',', target, keyEnd));
    return valueEnd < 0 ? notPlain : putAscii(']\n', target, valueEnd);
  };
}

function putJson(view: ScalarView, bytes: Buffer, target: Buffer, at: number): number {
  switch (view.kind) {
    case 'text':
      return putJsonText(bytes, view.start, view.end, target, at);
    case 'number':
      return Number.isFinite(view.number) ? putAscii(String(view.number), target, at) : notPlain;
    case 'true':
    case 'false':
    case 'null':
      return putAscii(view.kind, target, at);
    default:
      return notPlain;
  }
}

/** Text that needs no escapes. */
function putJsonText(bytes: Buffer, start: number, end: number, target: Buffer, at: number): number {
  let to = at;
  target[to++] = quote;
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte < 0x20 || byte === quote || byte === backslash) return notPlain;
    target[to++] = byte;
  }
  target[to++] = quote;
  return to;
}

export function fixedLengthPairEncoder(recordBytes: number): EncodePair {
  const key = new ScalarView();
  const value = new ScalarView();
  return (pair, target, at) => {
    key.readKey(pair);
    value.readValue(pair);
    if (key.kind !== 'bytes' || (value.kind !== 'bytes' && value.kind !== 'null')) return notPlain;
    const keyEnd = at + key.end - key.start;
    const end = value.kind === 'null' ? keyEnd : keyEnd + value.end - value.start;
    if (end - at !== recordBytes) return notPlain;
    copyBytes(pair.bytes, key.start, key.end, target, at);
    if (end > keyEnd) copyBytes(pair.bytes, value.start, value.end, target, keyEnd);
    return end;
  };
}

function endLine(target: Buffer, at: number): number {
  if (at < 0) return notPlain;
  target[at] = newline;
  return at + 1;
}

function putAscii(text: string, target: Buffer, at: number): number {
  let to = at;
  for (let index = 0; index < text.length; index++) target[to++] = text.charCodeAt(index);
  return to;
}

/** Whether `byte` is in `[start, end)` of bytes that may be written at `end`. */
function holdsByte(bytes: Buffer, start: number, end: number, byte: number): boolean {
  if (end - start > inPlaceBytesMax) {
    // It stops the search at the end of the range.
    bytes[end] = byte;
    return bytes.indexOf(byte, start) < end;
  }
  for (let index = start; index < end; index++) if (bytes[index] === byte) return true;
  return false;
}
