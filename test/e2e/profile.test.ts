/** `--profile`: a job that burns time in map is shown to, with the function and its line. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobView } from '../../lib/job-view.ts';
import { cliPath } from './cluster.ts';

const root = join(import.meta.dirname, '../..');
let folder: string;
beforeAll(() => {
  mkdirSync(join(root, '.millrace'), { recursive: true });
  folder = mkdtempSync(join(root, '.millrace/profile-test-'));
  writeFileSync(
    join(folder, 'burn.ts'),
    `import { defineJob } from 'millrace';

function burn(line: string): number {
  const end = performance.now() + 20;
  let turns = line.length;
  while (performance.now() < end) turns++;
  return turns;
}

export default defineJob(import.meta, {
  name: 'burn',
  *map(line) {
    yield [line, burn(line) > 0 ? 1 : 0];
  },
  *reduce(key, values) {
    for (const value of values) yield [key, value];
  },
});
`,
  );
  writeFileSync(join(folder, 'in.txt'), 'line\n'.repeat(50));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(output: string, ...flags: string[]): JobView {
  const args = [cliPath, 'run', 'burn.ts', '-i', 'in.txt', '-o', output, '-r', '1', '--json', '-q', ...flags];
  return JSON.parse(
    execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe', timeout: 60_000 }),
  );
}

test('a job that burns in map shows its function there, by its line', () => {
  const { profile } = run('with', '--profile');
  expect(profile?.micros['user-map']).toBeGreaterThan(0);
  expect(profile?.micros['user-map']).toBeGreaterThan(profile?.micros['user-reduce'] ?? 0);
  const burn = profile?.functions.find(({ name }) => name === 'burn');
  expect(burn).toMatchObject({ line: 3, file: expect.stringMatching(/profile-test-\w+\/burn\.ts$/) });
});

test('without the flag there is no profile', () => {
  expect(run('without').profile).toBeNull();
});
