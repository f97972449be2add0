import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type FailAction, failActions, formatArmed, parseArmed } from './failpoints.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-failpoints-'));
  vi.resetModules();
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** As a process sees it that was started with this environment. */
async function load(env: string | undefined) {
  vi.stubEnv('MILLRACE_FAILPOINTS', env);
  return await import('./failpoints.ts');
}

function arm(id: string, action: FailAction, hit = 1): void {
  writeFileSync(join(folder, 'armed'), formatArmed({ id, name: 'commit.part', action, hit }));
}

test('without its variable in the environment nothing happens, whatever is armed', async () => {
  const { failpoint } = await load(undefined);
  arm('1', 'throw');
  failpoint('commit.part');
  expect(existsSync(join(folder, 'fired-1'))).toBe(false);
});

test('what is armed happens at that point, at that hit, once', async () => {
  const { failpoint } = await load(folder);
  failpoint('commit.part');
  arm('1', 'throw', 2);
  failpoint('commit.success-after');
  failpoint('commit.part');
  expect(existsSync(join(folder, 'fired-1'))).toBe(false);
  expect(() => failpoint('commit.part')).toThrow('failpoint commit.part');
  failpoint('commit.part');
  const fired = JSON.parse(readFileSync(join(folder, 'fired-1'), 'utf8'));
  expect(fired).toMatchObject({ pid: process.pid, name: 'commit.part', atMs: expect.any(Number) });
});

test('it happens once in a whole cluster: not where somebody else was first', async () => {
  const { failpoint } = await load(folder);
  arm('1', 'throw');
  writeFileSync(join(folder, 'fired-1'), '');
  failpoint('commit.part');
});

test('a process that runs is armed again, and counts anew', async () => {
  const { failpoint } = await load(folder);
  arm('1', 'throw');
  expect(() => failpoint('commit.part')).toThrow();
  arm('2', 'throw', 2);
  failpoint('commit.part');
  expect(() => failpoint('commit.part')).toThrow();
});

test.each([
  ['enospc', 'ENOSPC'],
  ['eio', 'EIO'],
  ['reset', 'ECONNRESET'],
] as const)('%s throws what the system would', async (action, code) => {
  const { failpoint } = await load(folder);
  arm('1', action);
  expect(() => failpoint('commit.part')).toThrow(expect.objectContaining({ code }));
});

test('kill ends the process there and then, and says where', () => {
  arm('1', 'kill');
  const script = `import { failpoint } from '${join(import.meta.dirname, 'failpoints.ts')}'; failpoint('commit.part'); console.log('on');`;
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, MILLRACE_FAILPOINTS: folder },
    encoding: 'utf8',
  });
  expect({ signal, stdout }).toEqual({ signal: 'SIGKILL', stdout: '' });
  expect(JSON.parse(readFileSync(join(folder, 'fired-1'), 'utf8'))).toMatchObject({ name: 'commit.part' });
});

test('what is armed reads back, and nothing else is taken', async () => {
  for (const action of failActions) {
    const armed = { id: '17', name: 'run.flush', action, hit: 3 } as const;
    expect(parseArmed(formatArmed(armed))).toEqual(armed);
  }
  const bad = ['', '1 run.flush=kill@1', '1 run.flash=kill@1\n', '1 run.flush=explode@1\n'];
  for (const text of bad) expect(() => parseArmed(text)).toThrow(/not a failpoint/);
  const { failpoint } = await load(folder);
  writeFileSync(join(folder, 'armed'), 'nonsense');
  expect(() => failpoint('commit.part')).toThrow(/not a failpoint/);
});

test('a program that can be armed says so', async () => {
  const warn = vi.fn();
  const log = { warn } as never;
  (await load(undefined)).warnOfFailpoints(log);
  expect(warn).not.toHaveBeenCalled();
  vi.resetModules();
  (await load(folder)).warnOfFailpoints(log);
  expect(warn).toHaveBeenCalledWith({ folder }, expect.stringContaining('FAILPOINTS ARE ON'));
});
