import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stageFiles } from './stage-of.ts';

const root = join(import.meta.dirname, '../..');
const files = ['worker', 'lib'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true }).map((name) => `${folder}/${name}`),
);

test.each(stageFiles.map(([path]) => path))('%s… is the beginning of a file there is', (path) => {
  expect(files.some((file) => file.startsWith(path) && file !== path)).toBe(true);
});
