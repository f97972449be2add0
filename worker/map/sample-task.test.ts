import { expect, test } from 'vitest';
import { decodeKey, encodeKeyToBytes } from '../../lib/codec/key-codec.ts';
import { KeySample } from './sample-task.ts';

test('keeps no more keys than wanted, evenly spaced over all that were emitted', () => {
  const sample = new KeySample(10);
  for (let key = 0; key < 1_000; key++) sample.emit(key);
  const keys = sample.keys().map((bytes) => decodeKey(Buffer.from(bytes), 0, bytes.length) as number);
  expect(keys).toHaveLength(10);
  const gaps = keys.slice(1).map((key, i) => key - keys[i]!);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * Math.min(...gaps));
});

test('keeps all keys when there are few', () => {
  const sample = new KeySample(10);
  for (const key of ['b', 'a']) sample.emit(key);
  expect(sample.keys()).toEqual(['b', 'a'].map((key) => encodeKeyToBytes(key)));
});

test('keeps only the beginning of long keys, which sorts where they do', () => {
  const sample = new KeySample(10);
  const long = `k${'x'.repeat(1_000_000)}`;
  sample.emit(long);
  const [kept] = sample.keys();
  expect(kept!.length).toBeLessThanOrEqual(256);
  expect(Buffer.compare(encodeKeyToBytes('j'), kept!)).toBeLessThan(0);
  expect(Buffer.compare(kept!, encodeKeyToBytes('l'))).toBeLessThan(0);
});
