import { describe, expect, it } from 'vitest';
import { type AllowedUris, checkUris } from './allowed-uris.ts';

const storeUri = 's3://state/millrace/';
const check = (input: string, outputUri: string, allowed: Partial<AllowedUris>) =>
  checkUris(
    { inputPatterns: [input], outputUri },
    { prefixes: undefined, files: true, storeUri, ...allowed },
  );

describe('without --allow', () => {
  it('every place may be named on loopback', () => {
    check('file:///etc/*.conf', 'file:///tmp/out/', {});
    check('s3://logs/*', 's3://out/x/', {});
  });

  it('files may not be named where others can reach the coordinator', () => {
    const remote = { files: false };
    check('s3://logs/*', 's3://out/x/', remote);
    expect(() => check('file:///etc/passwd', 's3://out/x/', remote)).toThrow(
      expect.objectContaining({
        code: 'permission-denied',
        message: expect.stringMatching(/input file:\/\/\/etc\/passwd is not allowed.*--allow/),
      }),
    );
    expect(() => check('file://localhost/etc/passwd', 's3://out/x/', remote)).toThrow(/not allowed/);
    expect(() => check('s3://logs/*', 'file:///tmp/out/', remote)).toThrow(
      /output file:\/\/\/tmp\/out\/ is not/,
    );
  });
});

describe('with --allow', () => {
  const prefixes = ['s3://logs/web', 's3://out/', 'file:///data'];

  it.each(['s3://logs/web', 's3://logs/web/2026/*.gz', 'file:///data/x', 's3://out/y'])(
    '%s passes',
    (input) => {
      check(input, 's3://out/x/', { prefixes });
    },
  );

  it.each([
    's3://logs/webmail/*',
    's3://logs/',
    's3://other/web',
    'file:///database/x',
    'file:///d%61tabase',
    'mem://out/x',
  ])('%s does not', (input) => {
    expect(() => check(input, 's3://out/x/', { prefixes })).toThrow(/allows only s3:\/\/logs\/web, /);
  });
});

describe("the coordinator's own files", () => {
  it.each(['jobs/', 'jobs/job-1/out/', 'log/', ''])('%s of its store is nobody’s output', (folder) => {
    expect(() => check('s3://logs/*', `${storeUri}${folder}`, {})).toThrow(
      /coordinator's own files.*--store/,
    );
  });

  it('beside them there is room', () => {
    check('s3://logs/*', `${storeUri}out/`, {});
  });
});
