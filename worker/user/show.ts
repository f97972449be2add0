/** Keys and wrong values as short text, for error messages. */
import { describeType } from '../../lib/codec/key-codec.ts';

const charsMax = 120;

/** A key as a person would write it: `"the"`, `42`, `["a",1]`. */
export function showKey(key: unknown): string {
  return show(key).slice(0, charsMax);
}

/** What was given, by value when it is short and by type when not. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, charsMax));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' && typeof value !== 'function') return String(value);
  if (Array.isArray(value)) return `[${value.slice(0, 8).map(show).join(',')}]`.slice(0, charsMax);
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value.subarray(0, 32)).toString('hex')}`;
  return describeType(value);
}
