/** An encoded pair as the objects that user code sees. */
import { decodeKey, type Key } from './key-codec.ts';
import type { EncodedPair } from './pair.ts';
import { decodeValue, type Value } from './value-codec.ts';

/** The output record of a pair that no reduce has changed. Throws `corrupt`. */
export function recordOfPair({ bytes, keyStart, keyEnd, valueEnd }: EncodedPair): readonly [Key, Value] {
  return [decodeKey(bytes, keyStart, keyEnd), decodeValue(bytes, keyEnd, valueEnd)];
}
