import { describe, expect, it } from 'vitest';
import { isBuildNeeded, isInstalled } from './set-up.mjs';

describe('isInstalled', () => {
  const lock = {
    packages: {
      '': { version: '1.0.0' },
      'node_modules/a': { version: '1.2.3', integrity: 'sha512-a' },
      'node_modules/a-win32': { version: '1.2.3', integrity: 'sha512-w', optional: true },
    },
  };

  it('is true when every package is there, optional ones of other platforms aside', () => {
    expect(isInstalled(lock, { packages: { 'node_modules/a': lock.packages['node_modules/a'] } })).toBe(true);
  });

  it.each([
    ['another version', { version: '1.2.2', integrity: 'sha512-a' }],
    ['other contents', { version: '1.2.3', integrity: 'sha512-b' }],
  ])('is false for %s of a package', (_, found) => {
    expect(isInstalled(lock, { packages: { 'node_modules/a': found } })).toBe(false);
  });

  it('is false when a package is missing', () => {
    expect(isInstalled(lock, { packages: {} })).toBe(false);
  });
});

describe('isBuildNeeded', () => {
  const stamp = { sources: ['lib/a.ts', 'lib/b.ts'], builtMs: 1000 };
  const unchanged = () => 1000;

  it('is false when no source is newer than the last build', () => {
    expect(isBuildNeeded(['lib/a.ts', 'lib/b.ts'], stamp, unchanged)).toBe(false);
  });

  it.each([
    ['changed', ['lib/a.ts', 'lib/b.ts'], (path: string) => (path === 'lib/b.ts' ? 1001 : 1)],
    ['new, however old its time stamp', ['lib/a.ts', 'lib/b.ts', 'lib/c.ts'], () => 0],
    ['gone', ['lib/a.ts'], unchanged],
  ])('is true when a source is %s', (_, sources, changedMs) => {
    expect(isBuildNeeded(sources, stamp, changedMs)).toBe(true);
  });

  it('is true when there was no whole build yet', () => {
    expect(isBuildNeeded(['lib/a.ts'], undefined, unchanged)).toBe(true);
  });
});
