import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { collectBytes } from '../lib/iterables.ts';
import { createStores } from '../lib/store/resolve.ts';
import { makeSplits } from '../test/core/make.ts';
import { writeSplits } from './job-splits.ts';

test('splits lie beside the bundle, one a line, and are replaced when they are listed again', async () => {
  const stores = createStores();
  const folder = `mem://${randomUUID()}/jobs/j/`;
  const bundle = { uri: `${folder}bundle-ab.mjs`, sha256: 'ab', bytes: 1 };
  await writeSplits(stores, { bundle }, makeSplits(3));
  await writeSplits(stores, { bundle }, makeSplits(2, 500));
  const { store, key } = stores.locate(`${folder}splits.jsonl`);
  const lines = (await collectBytes(store.read(key))).toString().trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(makeSplits(2, 500));
});
