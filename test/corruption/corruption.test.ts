import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MillraceError } from '../../lib/errors.ts';
import { damageKinds } from './damage.ts';
import { inject } from './inject.ts';
import type { TargetKind } from './target.ts';

test('of 10,000 injections into files, streams, journal, input and output none is accepted in silence', async () => {
  const program = join(import.meta.dirname, 'main.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--injections', '10000']);
  const [, injections, silent] = /^(\d+) injections, (\d+) silent acceptances/m.exec(stdout) ?? [];
  expect(Number(injections)).toBeGreaterThanOrEqual(10_000);
  expect(silent).toBe('0');
});

describe('the injector', () => {
  const whole = Buffer.from('one\ntwo\nthree\n');
  const targetOf = (read: (bytes: Buffer) => string): TargetKind => ({
    name: 'text',
    share: 1,
    make: () => ({
      whole,
      boundaries: [4, 8, 14],
      others: [Buffer.from('four\nfive\nsix\n')],
      read: async (bytes) => read(bytes),
    }),
  });
  const options = { seed: 1, injections: 500 };

  test('does everything it can, and the same for the same seed', async () => {
    const target = targetOf((bytes) => {
      if (crc32(bytes) !== crc32(whole)) throw new MillraceError('corrupt', 'wrong crc32');
      return bytes.toString();
    });
    const tally = await inject(target, options);
    expect([...tally.kinds.keys()].sort()).toEqual([...damageKinds].sort());
    expect(tally).toMatchObject({ injections: 500, harmless: 0, failures: [] });
    expect(tally.noticed).toEqual(new Map([['corrupt', 500]]));
    expect(await inject(target, options)).toEqual(tally);
  });

  test('finds a reader that checks nothing, and one that checks only how much there is', async () => {
    const careless = await inject(
      targetOf((bytes) => bytes.toString('latin1')),
      options,
    );
    expect(careless.failures).toHaveLength(500);
    const counting = await inject(
      targetOf((bytes) => {
        if (bytes.length !== whole.length) throw new MillraceError('corrupt', 'wrong size');
        return bytes.toString('latin1');
      }),
      options,
    );
    expect(counting.failures.length).toBeGreaterThan(50);
    expect(counting.failures[0]).toMatch(/accepted in silence.*--seed 1 --target 'text' --only \d+/s);
  });

  test('takes an error without a name for a failure', async () => {
    const tally = await inject(
      targetOf((bytes) => {
        if (!bytes.equals(whole)) throw new TypeError('undefined is not a function');
        return '';
      }),
      options,
    );
    expect(tally.failures).toHaveLength(500);
    expect(tally.failures[0]).toContain('an error without a name: TypeError');
  });
});
