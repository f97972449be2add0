import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Supervised } from './process-supervisor.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-supervised-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const coordinator = (listening = '127.0.0.1:0') => [
  ...['coordinator', '--listen', listening, '--http', '127.0.0.1:0'],
  ...['--store', `file://${folder}/store`, '--json'],
];

test('a program that is killed comes back at its address, and every life and end is known', async () => {
  await using program = await Supervised.start({ name: 'coordinator', args: coordinator });
  const { listening, pid } = program;
  await program.restart();
  expect(program).toMatchObject({ listening, lives: 2, isUp: true });
  expect(program.pid).not.toBe(pid);
  expect(program.ends).toEqual([{ pid, code: null, signal: 'SIGKILL' }]);
  expect(program.log.match(/the coordinator is up/g)).toHaveLength(2);
});

test('a program that never listens is given up, with its log', async () => {
  const start = Supervised.start({ name: 'hopeless', args: () => ['coordinator', '--listen', 'nowhere'] });
  await expect(start).rejects.toThrow(/hopeless is stopped:[\s\S]*--store/);
});

test('a program that stands still is ended all the same, and no process stays', async () => {
  const program = await Supervised.start({ name: 'coordinator', args: coordinator });
  const { pid } = program;
  program.signal('SIGSTOP');
  await program[Symbol.asyncDispose]();
  expect(() => process.kill(pid!, 0)).toThrow(/ESRCH/);
});
