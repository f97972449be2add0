import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const main = join(import.meta.dirname, 'main.ts');
const micro = (...names: readonly string[]) =>
  spawnSync(process.execPath, [main, ...names], { encoding: 'utf8' });

it('prints the rates of what was named, in a table', () => {
  const { status, stdout } = micro('core-step');
  expect(status).toBe(0);
  const rows = stdout.split('\n').filter((line) => line.includes('no-op maps'));
  expect(rows).toHaveLength(2);
  for (const row of rows) expect(row).toMatch(/[\d,]+ tasks\/s \([\d,]+ to [\d,]+\)$/);
});

it('refuses a name that there is not, and says which there are', () => {
  const { status, stderr } = micro('core-stop');
  expect(status).toBe(2);
  expect(stderr).toMatch(/there is no core-stop; there are .*core-step/);
});
