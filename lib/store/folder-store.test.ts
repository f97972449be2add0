import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ProcessId, thisProcess } from '../process-id.ts';
import { FolderStore } from './folder-store.ts';
import { temporaryBeside } from './folder-temporaries.ts';

let root: string;
let store: FolderStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-folder-'));
  store = new FolderStore(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const keys = async (prefix = '') => {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
};
const stage = async (key: string, owner: string) => {
  const writer = await store.stage(key, owner);
  await writer.write(Buffer.from('content'));
  return await writer.seal();
};

describe('listing', () => {
  test('follows links to files and folders, but not round in circles', async () => {
    await mkdir(join(root, 'real/sub'), { recursive: true });
    await writeFile(join(root, 'real/file'), 'x');
    await symlink(join(root, 'real'), join(root, 'linked'));
    await symlink('../..', join(root, 'real/sub/up'));
    await symlink('nowhere', join(root, 'broken'));
    await symlink('self', join(root, 'self'));
    await symlink('real/file', join(root, 'alias'));
    expect(await keys()).toEqual(['alias', 'linked/file', 'real/file']);
  });

  test('of a root that is a file says so', async () => {
    await writeFile(join(root, 'file'), 'x');
    const listing = async () => {
      for await (const _ of new FolderStore(join(root, 'file')).list('')) throw new Error('listed');
    };
    await expect(listing()).rejects.toThrow(/is not a folder/);
  });

  test('of a missing root is empty', async () => {
    for await (const _ of new FolderStore(join(root, 'missing')).list('')) throw new Error('listed');
  });
});

describe('staging', () => {
  test('a staged file that was cut off or grew is not published, and what is there stays', async () => {
    await store.publish(await stage('out/part', 'before'));
    const staged = await stage('out/part', 'job');
    const path = join(root, 'out/.millrace-job', (await readdir(join(root, 'out/.millrace-job')))[0]!);
    for (const content of ['conten', 'content!', '']) {
      await writeFile(path, content);
      await expect(store.publish(staged)).rejects.toMatchObject({
        code: 'corrupt',
        message: expect.stringContaining(`has ${content.length} bytes, 7 were staged`),
      });
    }
    expect(await keys()).toEqual(['out/part']);
    await writeFile(path, 'changed');
    await store.publish(staged);
  });

  test('a failed job leaves nothing: sweeping removes the folders that staging made', async () => {
    await stage('new/deep/out/part-r-00000', 'job');
    await stage('new/deep/out/part-r-00001', 'job');
    await store.sweep('new/deep/out/', 'job');
    expect(await readdir(root)).toEqual([]);
  });

  test('a folder that was there before stays, even when empty', async () => {
    await mkdir(join(root, 'parent/out'), { recursive: true });
    await stage('parent/out/part-r-00000', 'job');
    await store.sweep('parent/out/', 'job');
    expect(await readdir(join(root, 'parent/out'))).toEqual([]);
  });

  test('only the folders that were made are removed', async () => {
    await mkdir(join(root, 'parent'));
    await stage('parent/a/b/part', 'job');
    await store.sweep('parent/a/b/', 'job');
    expect(await readdir(root, { recursive: true })).toEqual(['parent']);
  });

  test('a folder that was made and is used stays without the staging folder', async () => {
    await store.publish(await stage('out/part', 'job'));
    await stage('out/sub/part', 'job');
    await store.sweep('out/', 'job');
    expect(await readdir(root, { recursive: true })).toEqual(['out', 'out/part']);
  });

  test('a token that another process made up cannot lead elsewhere', async () => {
    const staged = await stage('a', 'job');
    for (const token of ['../../etc/passwd', 'job/../x', `job/${'.'.repeat(36)}`, '']) {
      await expect(store.publish({ ...staged, token })).rejects.toMatchObject({ code: 'invalid-argument' });
    }
  });

  test('a lost publish is not taken for an older object of that name', async () => {
    await writeFile(join(root, 'a'), 'older and longer');
    const staged = await stage('a', 'job');
    await store.discard(staged);
    await expect(store.publish(staged)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('names of 255 bytes can be staged', async () => {
    const key = 'ä'.repeat(127);
    await store.publish(await stage(key, 'job'));
    expect(await keys()).toEqual([key]);
  });
});

describe('what a dead process left half-written', () => {
  const dead = { ...thisProcess, pid: spawnSync('true').pid };
  const leave = async (key: string, owner: ProcessId) => {
    const path = temporaryBeside(join(root, key), owner);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, 'half');
    return path;
  };

  test.each(['put', 'putIfAbsent'] as const)('goes with the next %s to its folder', async (method) => {
    await leave('log/1', dead);
    await store[method]('log/2', Buffer.from('x'));
    expect(await readdir(join(root, 'log'))).toEqual(['2']);
  });

  test('goes even if its object is there', async () => {
    await writeFile(join(root, 'a'), 'x');
    await leave('a', dead);
    expect(await store.putIfAbsent('a', Buffer.from('y'))).toBe(false);
    expect(await readdir(root)).toEqual(['a']);
  });

  test('goes when its job is swept', async () => {
    await leave('out/_SUCCESS', dead);
    await store.sweep('out/', 'job');
    expect(await readdir(join(root, 'out'))).toEqual([]);
  });

  test('stays while its process lives, or may', async () => {
    const own = await leave('a', thisProcess);
    const elsewhere = await leave('a', { ...dead, host: 'another-host' });
    await store.put('b', Buffer.from('x'));
    await store.sweep('', 'job');
    expect((await readdir(root)).map((name) => join(root, name)).sort()).toEqual(
      [own, elsewhere, join(root, 'b')].sort(),
    );
  });
});

describe('errors', () => {
  test('an object that shrinks while it is read is an error, not an early end', async () => {
    await writeFile(join(root, 'a'), Buffer.alloc(600_000));
    const reading = async () => {
      for await (const _ of store.read('a')) await truncate(join(root, 'a'), 300_000);
    };
    await expect(reading()).rejects.toMatchObject({ code: 'store-failed', message: /ended at byte/ });
  });

  test('a folder in the way is named', async () => {
    await writeFile(join(root, 'file'), 'x');
    await expect(store.stage('file/part', 'job')).rejects.toThrow(join(root, 'file'));
    await expect(store.putIfAbsent('file/part', Buffer.from('x'))).rejects.toThrow(join(root, 'file'));
  });

  test('a folder is no object', async () => {
    await mkdir(join(root, 'folder'));
    expect(await store.head('folder')).toBeUndefined();
    const reading = async () => {
      for await (const _ of store.read('folder')) throw new Error('read');
    };
    await expect(reading()).rejects.toMatchObject({ code: 'not-found' });
    expect(await store.putIfAbsent('folder', Buffer.from('x'))).toBe(false);
    await store.remove('folder');
    expect(await readdir(root)).toEqual(['folder']);
  });

  test.skipIf(process.getuid?.() === 0)(
    'what may not be written is permission-denied, with the path',
    async () => {
      await chmod(root, 0o500);
      await expect(store.stage('out/part', 'job')).rejects.toMatchObject({
        code: 'permission-denied',
        message: expect.stringContaining(root),
      });
    },
  );

  test('a relative root is refused', () => {
    expect(() => new FolderStore('relative')).toThrow(/must be absolute/);
  });
});
