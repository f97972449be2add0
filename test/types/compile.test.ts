/** The public types under both compilers: what is inferred, and what must not compile. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const compilers = [
  ['TypeScript 7', join(root, 'node_modules/typescript/bin/tsc')],
  ['TypeScript 6', join(root, 'node_modules/@typescript/typescript6/bin/tsc6')],
] as const;

/** Exit code and output of a compiler run over a tsconfig. */
function compile(compiler: string, project: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const args = [compiler, '-p', project, '--pretty', 'false'];
    execFile(process.execPath, args, { cwd: root, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr });
    });
  });
}

test.each(compilers)('%s infers what it should and refuses what it should', async (_name, compiler) => {
  const files = (await readdir(here)).filter((file) => file.endsWith('.types.ts'));
  expect(files.length).toBeGreaterThanOrEqual(2);
  expect(await compile(compiler, here)).toEqual({ code: 0, output: '' });
});

test.each(compilers)('%s notices when an assertion is wrong', async (_name, compiler) => {
  const folder = await mkdtemp(join(here, 'wrong-'));
  try {
    const source = await readFile(join(here, 'inference.types.ts'), 'utf8');
    const wrong = source
      .replace('exactly<Hit>()(hit);', 'exactly<{ path: string; ms: number }>()(hit);')
      .replace("from './expect.ts'", "from '../expect.ts'")
      .concat(
        '// @ts-expect-error this compiles\n',
        "defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, reduce: sum });\n",
      );
    await writeFile(join(folder, 'wrong.types.ts'), wrong);
    await writeFile(
      join(folder, 'tsconfig.json'),
      '{ "extends": "../tsconfig.json", "include": ["./*.types.ts"] }',
    );
    const { code, output } = await compile(compiler, folder);
    expect(code).not.toBe(0);
    expect(output.match(/error TS\d+/g)).toEqual(['error TS2554', 'error TS2578']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
