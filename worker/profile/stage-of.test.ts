import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stageOf, stagePlaces } from './stage-of.ts';

const root = join(import.meta.dirname, '../..');
const files = ['worker', 'lib'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true }).map((name) => `${folder}/${name}`),
);

test.each(stagePlaces)('%s… (%s) is there', (place) => {
  const [path = '', functionName] = place.split(':');
  const found = files.filter((file) => file.startsWith(path) && (file !== path || functionName));
  expect(found).not.toEqual([]);
  if (functionName) expect(readFileSync(join(root, path), 'utf8')).toContain(` ${functionName}`);
});

test('of a file that does two things the function decides', () => {
  const file = 'worker/map/sort-buffer.ts';
  const stageIn = (name: string) => stageOf([{ name, isUser: false, file }], 'map');
  expect(['add', '#commit', 'sorted', 'advance'].map(stageIn)).toEqual(['emit', 'emit', 'sort', 'spill']);
});
