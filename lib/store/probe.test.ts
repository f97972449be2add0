import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeWithMinio } from '../../test/minio/describe-with-minio.ts';
import { MillraceError } from '../errors.ts';
import { FolderStore } from './folder-store.ts';
import { MemoryStore } from './memory-store.ts';
import { probeConditionalWrites, probeStore } from './probe.ts';
import { createStores } from './resolve.ts';
import type { StagedObject } from './store.ts';

const checks = ['multipart', 'put', 'get', 'ranged get', 'list', 'conditional put', 'remove'].map(
  (what) => `store: ${what}`,
);

async function keysOf(store: MemoryStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys;
}

/** As Garage does: the condition is not looked at. */
class Unconditional extends MemoryStore {
  override async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    await this.remove(key);
    return super.putIfAbsent(key, bytes);
  }
}

/** Looks, and then writes. */
class Racy extends MemoryStore {
  override async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    if (await this.head(key)) return false;
    const [, isWinner] = await Promise.all([this.remove(key), super.putIfAbsent(key, bytes)]);
    return isWinner;
  }
}

class Showing extends MemoryStore {
  override async head(key: string) {
    return (await super.head(key)) ?? { key, bytes: 0, etag: '' };
  }
}

class Harmful extends MemoryStore {
  override async discard(staged: Pick<StagedObject, 'key' | 'token'>): Promise<void> {
    await this.remove(staged.key);
  }
}

class Refusing extends MemoryStore {
  override async putIfAbsent(): Promise<boolean> {
    throw new MillraceError('permission-denied', 'refused by policy');
  }
}

describe('probing a store', () => {
  test('that is right finds nothing wrong and leaves nothing', async () => {
    const store = new MemoryStore();
    const findings = await probeStore(store, 'cluster/');
    expect(findings.map(({ check }) => check)).toEqual(checks);
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    await probeConditionalWrites(store, 'cluster/', 's3://bucket/cluster/');
    expect(await keysOf(store)).toEqual([]);
  });

  test.each([
    ['that ignores conditions', new Unconditional(), 'store: conditional put', /second put replaced/],
    [
      'that looks before it writes',
      new Racy(),
      'store: conditional put',
      /of 4 puts at once [234] succeeded/,
    ],
    ['that shows what is not published', new Showing(), 'store: multipart', /unpublished object is visible/],
    ['whose discard harms', new Harmful(), 'store: multipart', /discarding harmed/],
  ])('%s says so and goes on', async (_, store, check, detail) => {
    const findings = await probeStore(store, '');
    expect(findings.map((finding) => finding.check)).toEqual(checks);
    expect(findings.find((finding) => finding.check === check)).toMatchObject({ ok: false });
    expect(findings.find((finding) => finding.check === check)?.detail).toMatch(detail);
    expect(await keysOf(store)).toEqual([]);
  });

  test('that cannot be cleaned up says so, and only when all else was well', async () => {
    const [keeping, refusing] = [new MemoryStore(), new Refusing()];
    for (const store of [keeping, refusing]) store.sweep = () => Promise.reject(new Error('not swept'));
    const failed = async (store: MemoryStore) => (await probeStore(store, '')).filter(({ ok }) => !ok);
    expect(await failed(keeping)).toMatchObject([{ check: 'store: clean up', detail: 'not swept' }]);
    expect(await failed(refusing)).toMatchObject([{ check: 'store: put' }]);
  });

  test('in a folder leaves not even a folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-probe-'));
    try {
      const findings = await probeStore(new FolderStore(folder), 'doctor/1/');
      expect(findings.filter(({ ok }) => !ok)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('that cannot be written says why, once', async () => {
    expect(await probeStore(new Refusing(), '')).toMatchObject([
      { check: 'store: multipart', ok: true },
      { check: 'store: put', ok: false, detail: 'refused by policy' },
    ]);
  });

  test.each([new Unconditional(), new Racy()])(
    'one that two could lead on is refused, with what to use',
    async (store) => {
      const probing = probeConditionalWrites(store, 'cluster/', 's3://bucket/cluster/');
      const error = await probing.catch((thrown) => thrown);
      expect(error).toMatchObject({ code: 'wrong-state' });
      expect(error.message).toMatch(
        /cannot lead on s3:\/\/bucket\/cluster\/: .*ignores conditional writes.*MinIO/,
      );
      expect(await keysOf(store)).toEqual([]);
    },
  );

  test('an error of the store is not taken for a refused condition', async () => {
    await expect(probeConditionalWrites(new Refusing(), '', 's3://b/')).rejects.toMatchObject({
      code: 'permission-denied',
    });
  });
});

await describeWithMinio('probing MinIO', (minio) => {
  test('finds nothing wrong and leaves nothing', async () => {
    const bucket = await minio().makeBucket();
    const { store } = createStores({ s3: minio().access() }).locate(`s3://${bucket}/`);
    const findings = await probeStore(store, 'doctor/');
    expect(findings.map(({ check, ok, detail }) => [check, ok, ok ? '' : detail])).toEqual(
      checks.map((check) => [check, true, '']),
    );
    await probeConditionalWrites(store, '', `s3://${bucket}/`);
    for await (const { key } of store.list('')) expect.unreachable(key);
  });
});
