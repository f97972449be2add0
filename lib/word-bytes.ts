/** Which bytes words are made of: the tables behind `words()`. */
import { assertNever } from './assert.ts';

/**
 * What lies between words. `punctuation`: every ASCII character that is no letter and no digit. `whitespace`: tab, newline, vertical tab,
 * form feed, carriage return and space. Bytes from 80 on, which is all of UTF-8 beyond ASCII, belong to words either way.
 */
export type WordSeparators = 'punctuation' | 'whitespace';

/** `[byte]` is 1 for a byte of a word, 0 for one between words. Shared: not to be changed. */
export function wordBytesOf(separators: WordSeparators): Uint8Array {
  switch (separators) {
    case 'punctuation':
      return withoutPunctuation;
    case 'whitespace':
      return withoutWhitespace;
    default:
      return assertNever(separators, 'word separators');
  }
}

const withoutPunctuation = tableOf((byte) => byte >= 0x80 || /[A-Za-z0-9]/.test(String.fromCharCode(byte)));
const withoutWhitespace = tableOf((byte) => byte !== 0x20 && (byte < 0x09 || byte > 0x0d));

function tableOf(isWordByte: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isWordByte(byte) ? 1 : 0));
}
