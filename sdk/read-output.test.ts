import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { createStores } from '../lib/store/resolve.ts';
import { readOutput } from './read-output.ts';

const text = 'a\t1\nb\t2\n';
const part = { key: 'part-r-00000', bytes: 8, records: 2, crc32: crc32(text), columns: ['string', 'number'] };
const manifest = { version: 1, parts: [part], output: { kind: 'tsv', compression: 'none' } };

async function read(name: string, files: Record<string, string>): Promise<unknown[]> {
  const stores = createStores();
  const uri = `mem://${name}/out/`;
  const { store, key } = stores.locate(uri);
  for (const [file, text] of Object.entries(files))
    await store.putIfAbsent(`${key}${file}`, Buffer.from(text));
  const records: unknown[] = [];
  for await (const record of readOutput(stores, uri)) records.push(record);
  return records;
}

it('reads records with their types, and nothing that is not listed', async () => {
  const files = {
    _SUCCESS: JSON.stringify(manifest),
    'part-r-00000': text,
    'part-r-00001': 'c\t3\n',
  };
  expect(await read('read-output', files)).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
});

it('notices a part that was changed after the job', async () => {
  const files = { _SUCCESS: JSON.stringify(manifest), 'part-r-00000': 'a\t1\n' };
  await expect(read('read-output-short', files)).rejects.toThrow(/has 4 bytes, _SUCCESS says 8/);
  const sameSize = { ...files, 'part-r-00000': 'a\t1\nb\t3\n' };
  await expect(read('read-output-same-size', sameSize)).rejects.toThrow(/has crc32 \d+, _SUCCESS says/);
});

it('says that nothing is committed', async () => {
  await expect(read('read-output-none', {})).rejects.toMatchObject({ code: 'not-found' });
});
