import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isOwnDependency, ownPath } from './own-code.ts';

const root = join(import.meta.dirname, '..');

test('own code is known by its source and by what is built of it', () => {
  expect(ownPath(join(root, 'sdk/bundle.ts'))).toBe('sdk/bundle.ts');
  expect(ownPath(join(root, 'dist/sdk/index.js'))).toBe('sdk/index.js');
  expect(ownPath(join(root, 'dist/chunks/run-5UGRCROR.js'))).toBe('chunks/run-5UGRCROR.js');
});

test('jobs and tests beside it, packages, and all other files are not', () => {
  for (const path of [
    'examples/grep.ts',
    'bench/jobs/grep.ts',
    'test/types/x.ts',
    'node_modules/x/lib/y.js',
    '../lib/x.ts',
    '../sdk/x.ts',
  ])
    expect(ownPath(join(root, path))).toBeUndefined();
});

test('packages are told apart', () => {
  expect(isOwnDependency(join(root, 'node_modules/x/y.js'))).toBe(true);
  expect(isOwnDependency(join(root, '../node_modules/x/y.js'))).toBe(false);
});
