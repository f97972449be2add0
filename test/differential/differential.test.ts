import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('500 random jobs equal a sequential oracle, each partition in key order', async () => {
  const program = join(import.meta.dirname, 'random-jobs.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--runs', '500']);
  expect(Number(/^(\d+) random jobs equal/m.exec(stdout)?.[1])).toBeGreaterThanOrEqual(500);
});
