import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { collectBytes } from '../lib/iterables.ts';
import { createStores } from '../lib/store/resolve.ts';
import { makeSplits } from '../test/core/make.ts';
import { writeJobLines } from './job-file.ts';

test('lines lie beside the bundle, one value each, and are replaced when they are written again', async () => {
  const stores = createStores();
  const folder = `mem://${randomUUID()}/jobs/j/`;
  const bundle = { uri: `${folder}bundle-ab.mjs`, sha256: 'ab', bytes: 1 };
  await writeJobLines(stores, { bundle }, 'splits.jsonl', makeSplits(3));
  await writeJobLines(stores, { bundle }, 'splits.jsonl', makeSplits(2, 500));
  const { store, key } = stores.locate(`${folder}splits.jsonl`);
  const lines = (await collectBytes(store.read(key))).toString().trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(makeSplits(2, 500));
});
