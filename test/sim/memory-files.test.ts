import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failingDisk } from './failing-disk.ts';
import { World } from './world.ts';

/** What a program saw: results, and codes of errors. */
type Seen = unknown[];

/** The same calls below any folder that is there. */
function useFiles(root: string): Seen {
  const seen: Seen = [];
  const note = (act: () => unknown) => {
    try {
      seen.push(act());
    } catch (error) {
      seen.push((error as NodeJS.ErrnoException).code);
    }
  };
  const at = (path: string) => join(root, path);
  note(() => fs.openSync(at('a/b/file'), 'w'));
  note(() => fs.openSync(at('none'), 'r'));
  note(() => fs.readdirSync(at('a')));
  fs.mkdirSync(at('a/b'), { recursive: true });
  const fd = fs.openSync(at('a/b/file'), 'w');
  note(() => fs.writeSync(fd, Buffer.from('one'), 0, 3));
  note(() => fs.writeSync(fd, Buffer.from('-two-'), 1, 3));
  note(() => fs.fstatSync(fd).size);
  fs.closeSync(fd);
  note(() => fs.fstatSync(fd).size);
  fs.renameSync(at('a/b'), at('a/c'));
  note(() => fs.readdirSync(at('a')));
  note(() => fs.readFileSync(at('a/c/file'), 'utf8'));
  note(() => fs.renameSync(at('a/b'), at('a/d')));
  note(() => fs.renameSync(at('a/c/file'), at('none/file')));
  const open = fs.openSync(at('a/c/file'), 'r');
  fs.rmSync(at('a'), { recursive: true, force: true });
  note(() => fs.existsSync(at('a/c/file')));
  const target = Buffer.alloc(8);
  note(() => fs.readSync(open, target, 1, 7, 2));
  note(() => fs.readSync(open, target, 0, 8, 99));
  note(() => target.toString());
  fs.closeSync(open);
  fs.rmSync(at('a'), { recursive: true, force: true });
  return seen;
}

let real: string;

beforeEach(() => {
  real = fs.mkdtempSync(join(tmpdir(), 'millrace-files-'));
});

afterEach(() => {
  fs.rmSync(real, { recursive: true });
});

test('files in memory are like those on a disk', () => {
  const world = new World(1, { plan: {} });
  const undo = failingDisk(world);
  try {
    const seen = useFiles(world.directory);
    expect(seen).toEqual(useFiles(real));
    expect(seen).toContain('onetwo');
  } finally {
    undo();
  }
});

test('a disk fails with the codes of the kernel, and says who is behind it', () => {
  const world = new World(1, { plan: { 'disk write fails': 1 } });
  const undo = failingDisk(world);
  try {
    const write = () => fs.writeFileSync(join(world.directory, 'file'), 'text');
    expect(write).toThrow(/^(ENOSPC|EIO): .*disk write fails/);
  } finally {
    undo();
  }
});
