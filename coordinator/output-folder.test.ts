import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { MillraceError } from '../lib/errors.ts';
import type { IfExists, JobSpec, StagedPart } from '../lib/job-spec.ts';
import { createStores, type Stores } from '../lib/store/resolve.ts';
import { readManifest } from '../lib/success-manifest.ts';
import { facts, namesBelow, outputSpec, stageParts, textAt, tryOf } from '../test/output-fixture.ts';
import { checkOutput, discardStaged, publishOutput, unpublishOutput } from './output-folder.ts';

let stores: Stores;
let outputUri: string;
beforeEach(() => {
  stores = createStores();
  outputUri = `mem://${randomUUID()}/out/`;
});

const specOf = (ifExists: IfExists, partOffset = 0) => outputSpec(outputUri, ifExists, partOffset);

const stage = (spec: JobSpec, texts: readonly string[]) => stageParts(stores, spec, texts);

const names = () => namesBelow(stores, outputUri);
const text = (name: string) => textAt(stores, `${outputUri}${name}`);

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
      version: 2,
      jobId: spec.jobId,
      parts: [
        { key: 'part-r-00000', bytes: 1, records: 1, crc32: crc32('a') },
        { key: 'part-r-00001', bytes: 2, records: 1, crc32: crc32('bb') },
      ],
      counters: { seen: 3 },
      input: { records: 3, bytes: 30 },
    });
  });

  test('the manifest has the audit, what each part consumed, and the maps that differed', async () => {
    const spec = specOf('fail');
    const [first, second] = [1, 2].map((records) => ({ records, bytes: 10 * records, crc32: records }));
    const all = { records: 3, bytes: 30, crc32: 3 };
    const audit = { mapped: all, fetched: all, reduced: { records: 3, bytes: 30 } };
    const attempts = [0, 1].map((attempt) => ({ attempt, epoch: 1, worker: `w${attempt}` }));
    const differences = [{ task: 'm0', partitions: [1], attempts }];
    const success = { ...facts, audit, consumed: [first!, second!], differences };
    await publishOutput(stores, { spec, parts: await stage(spec, ['a', 'bb']), success });
    const { store, key } = stores.locate(outputUri);
    expect(await readManifest(store, key)).toMatchObject({
      parts: [{ consumed: first }, { consumed: second }],
      audit,
      nonDeterministic: differences,
    });
  });

  test('a commit that is run twice, or cut off after some parts and run again, ends the same', async () => {
    const spec = specOf('fail');
    const parts = await stage(spec, ['a', 'b']);
    const { store, key } = stores.locate(parts[0]!.uri);
    await store.publish({ key, token: parts[0]!.token, bytes: 1 });
    const begin = vi.fn();
    await publishOutput(stores, { spec, parts, success: facts }, { ...tryOf(), hasBegun: true, begin });
    await publishOutput(stores, { spec, parts, success: facts }, { ...tryOf(), hasBegun: true, begin });
    expect(begin).toHaveBeenCalledOnce();
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
  const late = await stage(spec, ['late']);
  await discardStaged(stores, { spec, parts: late, unsure: [] });
  expect(await text('part-r-00000')).toBe('a');
  await expect(
    publishOutput(stores, { spec: specOf('replace'), parts: late, success: facts }),
  ).rejects.toThrow();
});

test('discarding leaves nothing staged, known or not, and sweeps exactly the names that may be', async () => {
  const spec = specOf('append', 5);
  const parts = await stage(spec, ['a', 'b']);
  const { store } = stores.locate(outputUri);
  const sweep = vi.spyOn(store, 'sweep');
  await discardStaged(stores, { spec, parts, unsure: [1] });
  expect(await names()).toEqual([]);
  expect(sweep).toHaveBeenCalledWith('out/', spec.jobId, ['out/part-r-00006', 'out/_SUCCESS']);
  await discardStaged(stores, { spec: { ...spec, reducers: 0 }, parts: [], unsure: [0, 2] });
  expect(sweep).toHaveBeenLastCalledWith('out/', spec.jobId, [
    'out/part-m-00005',
    'out/part-m-00007',
    'out/_SUCCESS',
  ]);
});

test('a part that cannot be discarded does not keep the others, nor the sweep', async () => {
  const spec = specOf('fail');
  const parts = await stage(spec, ['a', 'b', 'c']);
  const { store } = stores.locate(outputUri);
  const discard = vi.spyOn(store, 'discard').mockRejectedValueOnce(new MillraceError('store-failed', 'away'));
  const sweep = vi.spyOn(store, 'sweep');
  await expect(discardStaged(stores, { spec, parts, unsure: [] })).rejects.toThrow('away');
  expect(discard).toHaveBeenCalledTimes(3);
  expect(sweep).toHaveBeenCalledOnce();
});

test('a part that is not below the output of its job is not touched, whoever says it is', async () => {
  const spec = specOf('fail');
  const [part] = await stage(spec, ['a']);
  const { store } = stores.locate(outputUri);
  const discard = vi.spyOn(store, 'discard');
  for (const uri of [
    'mem://other/part-r-00000',
    `${outputUri}../part-r-00000`,
    `${outputUri}_SUCCESS`,
    outputUri,
  ]) {
    const parts = [{ ...part!, uri }];
    await expect(discardStaged(stores, { spec, parts, unsure: [] })).rejects.toThrow(
      /is not a part of the output/,
    );
    await expect(publishOutput(stores, { spec, parts, success: facts })).rejects.toThrow(
      /is not a part of the output/,
    );
  }
  expect(discard).not.toHaveBeenCalled();
});

describe('what others left there', () => {
  async function leave(name: string, content = ''): Promise<void> {
    const { store, key } = stores.locate(outputUri);
    await store.putIfAbsent(`${key}${name}`, Buffer.from(content));
  }

  test('a _SUCCESS of another program is replaced with replace', async () => {
    await leave('_SUCCESS');
    await leave('part-r-00000', 'theirs');
    expect(await checkOutput(stores, outputUri, 'replace')).toBe(0);
    const spec = await commit('replace', ['ours']);
    const { store, key } = stores.locate(outputUri);
    expect((await readManifest(store, key))?.jobId).toBe(spec.jobId);
    expect(await text('part-r-00000')).toBe('ours');
  });

  test('a _SUCCESS of another program is nothing to append to, and that is said before the job runs', async () => {
    await leave('_SUCCESS');
    await expect(checkOutput(stores, outputUri, 'append')).rejects.toMatchObject({
      code: 'output-exists',
      message: expect.stringMatching(/_SUCCESS.*another program.*--if-exists replace/),
    });
  });

  test.each(['fail', 'append'] as const)(
    'a part that appeared under a name of the job while it ran is not overwritten with %s',
    async (ifExists) => {
      const spec = specOf(ifExists);
      const parts = await stage(spec, ['ours']);
      await leave('part-r-00000', 'theirs');
      const tries = tryOf();
      await expect(publishOutput(stores, { spec, parts, success: facts }, tries)).rejects.toMatchObject({
        code: 'output-exists',
      });
      expect(tries.begin).not.toHaveBeenCalled();
      expect(await text('part-r-00000')).toBe('theirs');
    },
  );

  test('so many objects that they are no list of arguments do no harm', async () => {
    const { store } = stores.locate(outputUri);
    async function* many() {
      for (let i = 0; i < 200_000; i++) yield { key: `out/${i}`, bytes: 0, etag: '' };
      yield { key: 'out/part-r-00041', bytes: 0, etag: '' };
    }
    vi.spyOn(store, 'list').mockImplementation(many);
    expect(await checkOutput(stores, outputUri, 'append')).toBe(42);
  });

  test('an output that is not empty is not listed to its end', async () => {
    const { store } = stores.locate(outputUri);
    let listed = 0;
    vi.spyOn(store, 'list').mockImplementation(async function* () {
      for (;;) yield { key: `out/${listed++}`, bytes: 0, etag: '' };
    });
    await expect(checkOutput(stores, outputUri, 'fail')).rejects.toThrow(/it has 0, 1, 2, …/);
    expect(listed).toBeLessThan(10);
  });
});

describe('a commit that began and cannot end', () => {
  async function failHalfWay(spec: JobSpec, parts: readonly StagedPart[]): Promise<boolean> {
    const { store } = stores.locate(outputUri);
    const refused = new MillraceError('permission-denied', 'no more writes');
    if (spec.ifExists === 'append') vi.spyOn(store, 'stage').mockRejectedValueOnce(refused);
    else vi.spyOn(store, 'putIfAbsent').mockRejectedValueOnce(refused);
    const tries = tryOf();
    await expect(publishOutput(stores, { spec, parts, success: facts }, tries)).rejects.toThrow(
      'no more writes',
    );
    return tries.begin.mock.calls.length === 1;
  }

  test('is undone: no part of it stays, what was there before does', async () => {
    await commit('fail', ['1', '2']);
    const spec = specOf('append', 2);
    const parts = await stage(spec, ['3', '4']);
    expect(await failHalfWay(spec, parts)).toBe(true);
    expect(await names()).toContain('part-r-00003');
    await unpublishOutput(stores, { spec, parts, unsure: [] });
    expect(await names()).toEqual(['_SUCCESS', 'part-r-00000', 'part-r-00001']);
  });

  test('lists the parts before it all the same when it is run again and ends', async () => {
    await commit('fail', ['1', '2']);
    const spec = specOf('append', 2);
    const parts = await stage(spec, ['3']);
    await failHalfWay(spec, parts);
    await publishOutput(stores, { spec, parts, success: facts }, { ...tryOf(), hasBegun: true });
    const { store, key } = stores.locate(outputUri);
    const manifest = await readManifest(store, key);
    expect(manifest?.parts.map((part) => part.key)).toEqual(['part-r-00000', 'part-r-00001', 'part-r-00002']);
  });

  test('is undone even when its last step was done and only nobody heard of it', async () => {
    const spec = specOf('fail');
    const parts = await stage(spec, ['a', 'b']);
    await publishOutput(stores, { spec, parts, success: facts });
    await unpublishOutput(stores, { spec, parts, unsure: [] });
    expect(await names()).toEqual([]);
  });

  test('has not begun while a check fails: what is there is not its own', async () => {
    const late = specOf('fail');
    const parts = await stage(late, ['late']);
    await commit('fail', ['first']);
    const tries = tryOf();
    await expect(publishOutput(stores, { spec: late, parts, success: facts }, tries)).rejects.toMatchObject({
      code: 'output-exists',
    });
    expect(tries.begin).not.toHaveBeenCalled();
  });

  test('ends only when no publishing is under way any more', async () => {
    const spec = specOf('fail');
    const parts = await stage(spec, ['a', 'b']);
    const { store } = stores.locate(outputUri);
    const publish = store.publish.bind(store);
    const other = Promise.withResolvers<void>();
    vi.spyOn(store, 'publish').mockImplementation(async (staged) => {
      if (staged.key.endsWith('00000')) throw new MillraceError('store-failed', 'away');
      await other.promise;
      await publish(staged);
    });
    const committing = publishOutput(stores, { spec, parts, success: facts });
    const early = await Promise.race([
      committing.catch(() => 'ended'),
      new Promise((resolve) => setImmediate(resolve)),
    ]);
    expect(early).toBeUndefined();
    other.resolve();
    await expect(committing).rejects.toThrow('away');
    expect(await names()).toEqual(['part-r-00001']);
  });
});

describe('bad records', () => {
  async function stageBad(spec: JobSpec, map: number, text: string) {
    const uri = `${outputUri}_bad/part-m-${String(spec.partOffset + map).padStart(5, '0')}.jsonl`;
    const { store, key } = stores.locate(uri);
    const writer = await store.stage(key, spec.jobId);
    await writer.write(Buffer.from(text));
    const { token, bytes } = await writer.seal();
    return { map, part: { uri, token, bytes, records: 2, crc32: crc32(text), columns: [] } };
  }

  async function names(): Promise<string[]> {
    const { store, key } = stores.locate(outputUri);
    const found: string[] = [];
    for await (const object of store.list(key)) found.push(object.key.slice(key.length));
    return found;
  }

  async function manifest() {
    const { store, key } = stores.locate(outputUri);
    return readManifest(store, key);
  }

  test('are published with the parts and listed in _SUCCESS', async () => {
    const spec = specOf('fail');
    const parts = await stage(spec, ['a\n', 'b\n']);
    const bad = [await stageBad(spec, 3, '{}\n')];
    expect(await names()).toEqual([]);
    await publishOutput(stores, { spec, parts, success: { ...facts, bad } });
    expect(await names()).toEqual(['_SUCCESS', '_bad/part-m-00003.jsonl', 'part-r-00000', 'part-r-00001']);
    const key = '_bad/part-m-00003.jsonl';
    expect((await manifest())?.badRecords).toEqual({
      records: 2,
      parts: [{ key, bytes: 3, records: 2, crc32: crc32('{}\n') }],
    });
  });

  test('of an earlier output are replaced with it', async () => {
    const first = specOf('fail');
    const bad = [await stageBad(first, 3, '{}\n')];
    await publishOutput(stores, {
      spec: first,
      parts: await stage(first, ['a']),
      success: { ...facts, bad },
    });
    const second = specOf('replace');
    await publishOutput(stores, { spec: second, parts: await stage(second, ['b']), success: facts });
    expect(await names()).toEqual(['_SUCCESS', 'part-r-00000']);
    expect(await manifest()).not.toHaveProperty('badRecords');
  });

  test('of an output that is appended to stay, and their numbers are not used again', async () => {
    const first = specOf('fail');
    const bad = [await stageBad(first, 3, '{}\n')];
    await publishOutput(stores, {
      spec: first,
      parts: await stage(first, ['a']),
      success: { ...facts, bad },
    });
    const second = specOf('append', await checkOutput(stores, outputUri, 'append'));
    expect(second.partOffset).toBe(4);
    const more = [await stageBad(second, 0, '{}\n')];
    const parts = await stage(second, ['b']);
    await publishOutput(stores, { spec: second, parts, success: { ...facts, bad: more } });
    expect((await manifest())?.badRecords).toMatchObject({
      records: 4,
      parts: [{ key: '_bad/part-m-00003.jsonl' }, { key: '_bad/part-m-00004.jsonl' }],
    });
  });

  test('of a job that fails are dropped, told of or not', async () => {
    const spec = specOf('fail');
    const told = await stageBad(spec, 0, '{}\n');
    const untold = await stageBad(spec, 1, '{}\n');
    await discardStaged(stores, { spec, parts: [told.part], unsure: [], unsureMaps: [1] });
    const { store } = stores.locate(outputUri);
    for (const { part } of [told, untold]) {
      const { key } = stores.locate(part.uri);
      await expect(store.publish({ key, token: part.token, bytes: part.bytes })).rejects.toMatchObject({
        code: 'not-found',
      });
    }
  });

  test('elsewhere than where they belong are not touched', async () => {
    const spec = specOf('fail');
    const { map, part } = await stageBad(spec, 0, '{}\n');
    const bad = [{ map, part: { ...part, uri: `${outputUri}_bad/../other` } }];
    await expect(publishOutput(stores, { spec, parts: [], success: { ...facts, bad } })).rejects.toThrow(
      'is not a part of the output',
    );
  });
});

test('an append that is undone after its manifest was written gives back the one before, byte for byte', async () => {
  await commit('fail', ['1', '2']);
  const before = await text('_SUCCESS');
  const bundle = { uri: `mem://${randomUUID()}/jobs/j/bundle.mjs`, sha256: '', bytes: 0 };
  const spec = { ...specOf('append', 2), bundle };
  const parts = await stage(spec, ['3']);
  await publishOutput(stores, { spec, parts, success: facts });
  expect(await names()).toContain('part-r-00002');
  await unpublishOutput(stores, { spec, parts, unsure: [] });
  expect(await names()).toEqual(['_SUCCESS', 'part-r-00000', 'part-r-00001']);
  expect(await text('_SUCCESS')).toBe(before);
});
