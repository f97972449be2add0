import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineBlocks } from './line-blocks.ts';

async function* inChunks(bytes: Buffer, chunkBytes: number, onChunk: () => void = () => undefined) {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    onChunk();
    yield new Uint8Array(bytes.subarray(at, at + chunkBytes));
  }
}

async function collect(blocks: ReturnType<typeof lineBlocks>) {
  const found: { text: string; offset: number }[] = [];
  for await (const { bytes, offset } of blocks) found.push({ text: bytes.toString(), offset });
  return found;
}

test('chunks that run on past the end give the lines that begin before it, and no more', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.integer({ min: 1, max: 12 }),
      fc.nat(30),
      fc.nat(30),
      async (text, chunkBytes, a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const from = Math.max(0, start - 1);
        const blocks = lineBlocks(inChunks(Buffer.from(text.slice(from)), chunkBytes), {
          uri: 'a',
          offset: from,
          isInsideLine: start > 0,
          end,
        });
        const found = await collect(blocks);
        const wanted = [...text.matchAll(/[^\n]*\n|[^\n]+/g)].filter(
          ({ index }) => index >= start && index < end,
        );
        expect(found.map(({ text }) => text).join('')).toBe(wanted.map(([line]) => line).join(''));
        for (const block of found) expect(text.startsWith(block.text, block.offset)).toBe(true);
        for (const { text: block } of found.slice(0, -1)) expect(block.endsWith('\n')).toBe(true);
      },
    ),
    { numRuns: 3000 },
  );
});

test('no chunk is pulled after the last line is complete', async () => {
  let pulled = 0;
  const chunks = inChunks(Buffer.from('a\nb\nc\nd\n'), 2, () => pulled++);
  expect(await collect(lineBlocks(chunks, { uri: 'a', end: 4 }))).toHaveLength(2);
  expect(pulled).toBe(2);
});

test.each([1, 2, 3, 100])(
  'a byte order mark at the start is left out, in chunks of %i',
  async (chunkBytes) => {
    const bytes = Buffer.from('\ufeffone\n\ufefftwo');
    const found = await collect(lineBlocks(inChunks(bytes, chunkBytes), { uri: 'a' }));
    expect(found.map(({ text }) => text).join('')).toBe('one\n\ufefftwo');
    expect(found[0]?.offset).toBe(3);
    expect(await collect(lineBlocks(inChunks(Buffer.from('\ufeff'), chunkBytes), { uri: 'a' }))).toEqual([]);
  },
);
