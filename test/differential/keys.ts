/** Keys of every type as JSON, so that random jobs can carry them through text input and output. */
import type { Key } from 'millrace';

export type KeyText =
  | readonly ['string', string]
  | readonly ['number', number]
  | readonly ['boolean', boolean]
  | readonly ['bigint', string]
  | readonly ['bytes', readonly number[]]
  | readonly ['tuple', readonly KeyText[]];

export function toKey(text: KeyText): Key {
  switch (text[0]) {
    case 'string':
    case 'number':
    case 'boolean':
      return text[1];
    case 'bigint':
      return BigInt(text[1]);
    case 'bytes':
      return Uint8Array.from(text[1]);
    case 'tuple':
      return text[1].map(toKey) as unknown as Key;
  }
}

export function fromKey(key: Key): KeyText {
  if (typeof key === 'string') return ['string', key];
  if (typeof key === 'number') return ['number', key];
  if (typeof key === 'boolean') return ['boolean', key];
  if (typeof key === 'bigint') return ['bigint', String(key)];
  if (key instanceof Uint8Array) return ['bytes', [...key]];
  return ['tuple', (key as readonly Key[]).map(fromKey)];
}
