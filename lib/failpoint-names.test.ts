import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failpoints } from './failpoint-names.ts';

const root = join(import.meta.dirname, '..');

function sources(): string[] {
  return ['cli', 'coordinator', 'lib', 'sdk', 'worker'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(root, folder, name), 'utf8')),
  );
}

test('every failpoint is used exactly once, and every use is in the list', () => {
  const used = sources().flatMap((text) =>
    [...text.matchAll(/\bfailpoint\('([^']*)'\)/g)].map(([, name]) => name),
  );
  expect(used.toSorted()).toEqual(Object.keys(failpoints).toSorted());
});

test('each says what is half-done there, and no two say the same', () => {
  const said = Object.values(failpoints);
  expect(new Set(said).size).toBe(said.length);
  expect(said.length).toBeGreaterThanOrEqual(56);
});
