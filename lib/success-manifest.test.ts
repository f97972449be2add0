import { expect, it } from 'vitest';
import { encodeManifest, parseManifest, type SuccessManifest } from './success-manifest.ts';

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
  ['another version', JSON.stringify({ ...manifest, version: 9 })],
  ['version 2 without a checksum', JSON.stringify({ ...manifest, version: 2 })],
  [
    'a part that would lead elsewhere',
    JSON.stringify({ ...manifest, parts: [{ ...part, key: '../part-r-00000' }] }),
  ],
  ['a part without a size', JSON.stringify({ ...manifest, parts: [{ ...part, bytes: 'x' }] })],
  [
    'an audit without what was fetched',
    JSON.stringify({ ...manifest, audit: { mapped: part, reduced: part } }),
  ],
  [
    'an audit that counts nothing',
    JSON.stringify({
      ...manifest,
      audit: { mapped: part, fetched: part, reduced: { records: 'x', bytes: 1 } },
    }),
  ],
  [
    'a part that consumed no number',
    JSON.stringify({ ...manifest, parts: [{ ...part, consumed: { records: 1, bytes: 1 } }] }),
  ],
  ['parts that are no list', JSON.stringify({ ...manifest, parts: {} })],
])('refuses %s', (_what, text) => {
  expect(() => parseManifest(text, 'u')).toThrow(expect.objectContaining({ code: 'corrupt' }));
});

const written: SuccessManifest = {
  version: 2,
  jobId: 'j',
  name: 'n',
  parts: [part],
  counters: { seen: 3 },
  input: { records: 1, bytes: 2 },
  intermediate: { records: 1, bytes: 2 },
  output: { kind: 'tsv', compression: 'none' },
};

it('is written as these bytes in version 2, and read back', () => {
  const text = encodeManifest(written);
  expect(text.endsWith('"compression": "none"\n  },\n  "crc32": 720941533\n}\n')).toBe(true);
  expect(parseManifest(text, 'u')).toMatchObject(written);
});

it('reads back what was audited, what each part consumed, and the maps that differed', () => {
  const counts = { records: 4, bytes: 40, crc32: 7 };
  const full: SuccessManifest = {
    ...written,
    parts: [{ ...part, consumed: counts }],
    audit: { mapped: counts, fetched: counts, reduced: { records: 4, bytes: 40 } },
    nonDeterministic: [{ task: 'm0', partitions: [0], attempts: [{ attempt: 1, epoch: 1, worker: 'w1' }] }],
  };
  expect(parseManifest(encodeManifest(full), 'u')).toMatchObject(full);
});

it('refuses version 2 with any byte changed or cut off', () => {
  const whole = Buffer.from(encodeManifest(written));
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 1;
    for (const bytes of [changed, whole.subarray(0, at)])
      expect(() => parseManifest(bytes.toString(), 'u')).toThrow(
        expect.objectContaining({ code: 'corrupt' }),
      );
  }
});

it('says when a newer version wrote it', () => {
  const text = JSON.stringify({ ...manifest, version: 3 });
  expect(() => parseManifest(text, 'out/_SUCCESS')).toThrow(/out\/_SUCCESS .*newer Millrace.*format is 3/);
});
