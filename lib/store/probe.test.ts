import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MillraceError } from '../errors.ts';
import { FolderStore } from './folder-store.ts';
import { MemoryStore } from './memory-store.ts';
import { probeConditionalWrites, probeStore } from './probe.ts';

/** As a store does that does not know `If-None-Match`. */
class CarelessStore extends MemoryStore {
  override async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    await this.remove(key);
    return super.putIfAbsent(key, bytes);
  }
}

class HastyStore extends MemoryStore {
  override async stage(key: string, owner: string) {
    await this.putIfAbsent(key, Buffer.of(1));
    return super.stage(key, owner);
  }
}

class FullStore extends MemoryStore {
  override async putIfAbsent(): Promise<boolean> {
    throw new MillraceError('no-space', 'the disk is full');
  }
}

async function keysOf(store: MemoryStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys;
}

test('a store that keeps its promises passes every check, and nothing is left in it', async () => {
  const store = new MemoryStore();
  const findings = await probeStore(store, 'doctor/1/');
  expect(findings.map(({ check, ok }) => [check, ok])).toEqual(
    ['multipart', 'put', 'get', 'ranged get', 'list', 'conditional put', 'remove'].map((check) => [
      `store: ${check}`,
      true,
    ]),
  );
  expect(await keysOf(store)).toEqual([]);
});

test('a folder passes, too, and not even a folder is left in it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-probe-'));
  try {
    const findings = await probeStore(new FolderStore(folder), 'doctor/1/');
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a store that ignores conditional writes is named for that, and no coordinator leads on it', async () => {
  const store = new CarelessStore();
  const findings = await probeStore(store, 'doctor/1/');
  expect(findings.at(-1)).toMatchObject({
    check: 'store: conditional put',
    ok: false,
    detail: expect.stringMatching(/ignores conditional writes: [2-5] of 5 writers.*MinIO/),
  });
  await expect(probeConditionalWrites(store, 'probe/', 's3://b/')).rejects.toMatchObject({
    code: 'wrong-state',
    message: expect.stringMatching(/cannot lead on s3:\/\/b\/.*conditional/),
  });
  expect(await keysOf(store)).toEqual([]);
  await probeConditionalWrites(new MemoryStore(), 'probe/', 's3://b/');
});

test('a store that shows what is only staged is named for that', async () => {
  const findings = await probeStore(new HastyStore(), 'doctor/1/');
  expect(findings.at(-1)).toMatchObject({ check: 'store: multipart', ok: false });
});

test('what the store itself says is the finding, and the checks that build on it are left out', async () => {
  const findings = await probeStore(new FullStore(), 'doctor/1/');
  expect(findings).toMatchObject([
    { check: 'store: multipart', ok: true },
    { check: 'store: put', ok: false, detail: 'the disk is full' },
  ]);
});
