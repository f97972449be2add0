import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { toJobId } from '../lib/ids.ts';
import type { IfExists, JobSpec, StagedPart } from '../lib/job-spec.ts';
import { createStores, type Stores } from '../lib/store/resolve.ts';
import { readManifest } from '../lib/success-manifest.ts';
import { checkOutput, discardOutput, publishOutput } from './output-folder.ts';

const facts = {
  inputRecords: 3,
  inputBytes: 30,
  intermediateRecords: 3,
  intermediateBytes: 40,
  counters: { seen: 3 },
};

let stores: Stores;
let outputUri: string;
beforeEach(() => {
  stores = createStores();
  outputUri = `mem://${randomUUID()}/out/`;
});

function specOf(ifExists: IfExists, partOffset = 0): JobSpec {
  return {
    jobId: toJobId(randomUUID()),
    name: 'test',
    bundle: { uri: 'mem://x/b', sha256: '', bytes: 0 },
    input: { kind: 'lines' },
    output: { kind: 'tsv', compression: 'none' },
    inputPatterns: [],
    outputUri,
    ifExists,
    params: {},
    reducers: 2,
    partition: 'hash',
    splitBytes: 1,
    maps: undefined,
    priority: 0,
    attemptsMax: 4,
    taskTimeoutMs: 1,
    submittedAtMs: 0,
    partOffset,
  };
}

async function stage(spec: JobSpec, texts: string[]): Promise<StagedPart[]> {
  return Promise.all(
    texts.map(async (text, index) => {
      const uri = `${outputUri}part-r-${String(spec.partOffset + index).padStart(5, '0')}`;
      const { store, key } = stores.locate(uri);
      const writer = await store.stage(key, spec.jobId);
      await writer.write(Buffer.from(text));
      const { token, bytes } = await writer.seal();
      return { uri, token, bytes, records: 1, crc32: crc32(text), columns: [] };
    }),
  );
}

async function names(): Promise<string[]> {
  const { store, key } = stores.locate(outputUri);
  const found: string[] = [];
  for await (const object of store.list(key)) found.push(object.key.slice(key.length));
  return found;
}

async function text(name: string): Promise<string> {
  const { store, key } = stores.locate(`${outputUri}${name}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(key)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function commit(ifExists: IfExists, texts: string[], partOffset = 0): Promise<JobSpec> {
  const spec = specOf(ifExists, partOffset);
  await publishOutput(stores, { spec, parts: await stage(spec, texts), success: facts });
  return spec;
}

describe('publishing', () => {
  test('nothing shows before the commit; parts and a manifest with their counts after it', async () => {
    const spec = specOf('fail');
    const parts = await stage(spec, ['a', 'bb']);
    expect(await names()).toEqual([]);
    await publishOutput(stores, { spec, parts, success: facts });
    expect(await names()).toEqual(['_SUCCESS', 'part-r-00000', 'part-r-00001']);
    expect(JSON.parse(await text('_SUCCESS'))).toMatchObject({
      version: 1,
      jobId: spec.jobId,
      parts: [
        { key: 'part-r-00000', bytes: 1, records: 1, crc32: crc32('a') },
        { key: 'part-r-00001', bytes: 2, records: 1, crc32: crc32('bb') },
      ],
      counters: { seen: 3 },
      input: { records: 3, bytes: 30 },
    });
  });

  test('a commit that is run twice, or cut off after some parts and run again, ends the same', async () => {
    const spec = specOf('fail');
    const parts = await stage(spec, ['a', 'b']);
    const { store, key } = stores.locate(parts[0]!.uri);
    await store.publish({ key, token: parts[0]!.token, bytes: 1 });
    await publishOutput(stores, { spec, parts, success: facts });
    await publishOutput(stores, { spec, parts, success: facts });
    expect(await names()).toEqual(['_SUCCESS', 'part-r-00000', 'part-r-00001']);
  });

  test('with fail, an output that another job committed meanwhile is left as it is', async () => {
    const late = specOf('fail');
    const parts = await stage(late, ['late']);
    const first = await commit('fail', ['first']);
    await expect(publishOutput(stores, { spec: late, parts, success: facts })).rejects.toMatchObject({
      code: 'output-exists',
    });
    expect(await text('part-r-00000')).toBe('first');
    const { store, key } = stores.locate(outputUri);
    expect((await readManifest(store, key))?.jobId).toBe(first.jobId);
  });

  test('replace takes the place of an older, larger output and leaves other files alone', async () => {
    await commit('fail', ['1', '2', '3']);
    const { store, key } = stores.locate(outputUri);
    await store.putIfAbsent(`${key}notes.txt`, Buffer.from('mine'));
    const spec = await commit('replace', ['new']);
    expect(await names()).toEqual(['_SUCCESS', 'notes.txt', 'part-r-00000']);
    expect(await text('part-r-00000')).toBe('new');
    expect((await readManifest(store, key))?.jobId).toBe(spec.jobId);
  });

  test('append adds parts after the existing ones and the manifest lists all', async () => {
    await commit('fail', ['1', '2']);
    const partOffset = await checkOutput(stores, outputUri, 'append');
    expect(partOffset).toBe(2);
    await commit('append', ['3'], partOffset);
    const { store, key } = stores.locate(outputUri);
    const manifest = await readManifest(store, key);
    expect(manifest?.parts.map((part) => part.key)).toEqual(['part-r-00000', 'part-r-00001', 'part-r-00002']);
    expect(await text('part-r-00002')).toBe('3');
  });
});

test('an output that is not empty is refused for fail, naming what is there', async () => {
  await commit('fail', ['1']);
  await expect(checkOutput(stores, outputUri, 'fail')).rejects.toThrow(/_SUCCESS.*--if-exists/);
  expect(await checkOutput(stores, outputUri, 'replace')).toBe(0);
});

test('discarding after the commit drops what losers staged and keeps the output', async () => {
  const spec = await commit('fail', ['a']);
  await discardOutput(stores, spec, await stage(spec, ['late']));
  expect(await text('part-r-00000')).toBe('a');
});

test('discarding leaves nothing, whether a part was published already or not', async () => {
  const spec = specOf('fail');
  await discardOutput(stores, spec, await stage(spec, ['a', 'b']));
  expect(await names()).toEqual([]);
});
