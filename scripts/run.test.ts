import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const run = join(import.meta.dirname, 'run.mjs');
let folder: string;
let program: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-run-'));
  program = join(folder, 'program.ts');
});
afterAll(() => rmSync(folder, { recursive: true }));

it('gives the program its arguments, the Node of the packages, and ends as it ends', () => {
  writeFileSync(
    program,
    'const args: string[] = process.argv.slice(2);\nconsole.log(JSON.stringify([process.version, ...args]));\nprocess.exitCode = Number(args[1]);\n',
  );
  const start = (code: string) =>
    execFileSync(process.execPath, [run, program, 'a b', code], { encoding: 'utf8' });
  expect(JSON.parse(start('0'))).toEqual([process.version, 'a b', '0']);
  expect(() => start('3')).toThrow(expect.objectContaining({ status: 3 }));
});

it('hands on SIGTERM, and waits for what the program does then', async () => {
  writeFileSync(
    program,
    'setInterval(() => undefined, 1_000);\nprocess.on("SIGTERM", () => process.exit(7));\nconsole.log("ready");\n',
  );
  const child = spawn(process.execPath, [run, program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([7, null]);
});
