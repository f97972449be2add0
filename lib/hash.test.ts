import { describe, expect, it } from 'vitest';
import { encodeKeyToBytes } from './codec/key-codec.ts';
import { hashPartition, murmur3 } from './hash.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

describe('murmur3', () => {
  it.each([
    ['', 0],
    ['test', 0xba6bd213],
    ['Hello, world!', 0xc0363e43],
    ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
  ])('matches the published x86 32 vector of %j', (text, expected) => {
    expect(murmur3(utf8(text))).toBe(expected);
  });

  it.each([
    [[0xff, 0xff, 0xff, 0xff], 0x76293b50],
    [[0x21, 0x43, 0x65, 0x87], 0xf55b516b],
    [[0x21, 0x43, 0x65], 0x7e4a8634],
    [[0x21, 0x43], 0xa0f7b07a],
    [[0x21], 0x72661cf4],
    [[0, 0, 0, 0], 0x2362f9de],
    [[0, 0, 0], 0x85f0b427],
    [[0, 0], 0x30f4c306],
    [[0], 0x514e28b7],
  ])('matches the published x86 32 vector of bytes %j', (bytes, expected) => {
    expect(murmur3(Uint8Array.from(bytes))).toBe(expected);
  });

  it('hashes a range as it hashes a copy of the range', () => {
    const bytes = utf8('..The quick brown fox jumps over the lazy dog..');
    expect(murmur3(bytes, 2, bytes.length - 2)).toBe(0x2e4ff723);
  });
});

describe('hashPartition', () => {
  it('is frozen: these keys stay in these partitions in every version', () => {
    const partitionOf = (key: Parameters<typeof encodeKeyToBytes>[0]) =>
      hashPartition(murmur3(encodeKeyToBytes(key)), 1000);
    expect(
      ['', 'the', 'Straße', 0, -1.5, 42, 7n, true, Uint8Array.of(1, 2, 3), ['a', 1], []].map(partitionOf),
    ).toEqual([55, 668, 586, 142, 604, 95, 927, 644, 673, 187, 618]);
  });

  it('is within range for the largest hash', () => {
    expect(hashPartition(0xffffffff, 7)).toBe(3);
  });
});
