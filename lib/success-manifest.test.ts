import { expect, it } from 'vitest';
import { parseManifest } from './success-manifest.ts';

const part = { key: 'part-r-00000', bytes: 8, records: 2, crc32: 1, columns: ['string', 'number'] };
const manifest = { version: 1, parts: [part], output: { kind: 'tsv', compression: 'none' } };

it('finds the parts that _SUCCESS lists', () => {
  expect(parseManifest(JSON.stringify(manifest), 'u')).toMatchObject({
    output: manifest.output,
    parts: [part],
  });
});

it.each([
  ['no JSON', '{'],
  ['null', 'null'],
  ['another version', JSON.stringify({ ...manifest, version: 2 })],
  [
    'a part that would lead elsewhere',
    JSON.stringify({ ...manifest, parts: [{ ...part, key: '../part-r-00000' }] }),
  ],
  ['a part without a size', JSON.stringify({ ...manifest, parts: [{ ...part, bytes: 'x' }] })],
  ['parts that are no list', JSON.stringify({ ...manifest, parts: {} })],
])('refuses %s', (_what, text) => {
  expect(() => parseManifest(text, 'u')).toThrow(expect.objectContaining({ code: 'corrupt' }));
});
