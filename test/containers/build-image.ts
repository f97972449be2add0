/** The image of this checkout, built as `npm run cluster -- start` does, under a tag of its own for each test file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { read } from '../../scripts/cluster/docker.ts';
import { stageImage } from '../../scripts/cluster/stage-image.ts';

const root = join(import.meta.dirname, '../..');

export interface BuiltImage extends Disposable {
  readonly tag: string;
}

export function buildImage(): BuiltImage {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-image-'));
  const tag = `millrace:test-${process.pid}`;
  try {
    stageImage(root, join(folder, 'image'));
    read(['docker', 'build', '--quiet', '--tag', tag, join(folder, 'image')], root);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { tag, [Symbol.dispose]: () => read(['docker', 'rmi', '--force', tag], root) };
}
