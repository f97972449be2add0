import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packagesForImage } from './stage-image.ts';

test('an image gets the packages that run, those inside others too', () => {
  const packages = {
    '': {},
    'node_modules/a': {},
    'node_modules/a/node_modules/b': {},
    'node_modules/vitest': { dev: true },
    'node_modules/maybe': { optional: true },
  };
  expect(packagesForImage(packages)).toEqual([
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/maybe',
  ]);
});

test('esbuild, which is of the machine that builds, stays out', () => {
  const packages = {
    'node_modules/esbuild': {},
    'node_modules/@esbuild/linux-x64': { optional: true },
    'node_modules/esbuild-like': {},
  };
  expect(packagesForImage(packages)).toEqual(['node_modules/esbuild-like']);
});

test('every package that package.json asks for is there, and what only development needs is not', () => {
  const read = (name: string) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));
  const { dependencies, devDependencies } = read('package.json');
  const found = packagesForImage(read('package-lock.json').packages);
  const wanted = Object.keys(dependencies).filter((name) => name !== 'esbuild');
  expect(found).toEqual(expect.arrayContaining(wanted.map((name) => `node_modules/${name}`)));
  expect(Object.keys(devDependencies).filter((name) => found.includes(`node_modules/${name}`))).toEqual([]);
});
