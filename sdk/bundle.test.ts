import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MillraceError } from '../lib/errors.ts';
import { bundleJob } from './bundle.ts';
import { describeJob } from './describe-job.ts';

let project = '';

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'millrace-bundle-'));
});

afterEach(async () => {
  await rm(project, { recursive: true });
});

/** Writes files of the project and gives the path of the first. */
async function write(files: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  }
  return join(project, Object.keys(files)[0] ?? '');
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(MillraceError);
  expect((error as MillraceError).code).toBe('job-file');
  return (error as MillraceError).message;
}

const wordCount = `import { defineJob, sum } from 'millrace';
export default defineJob(import.meta, {
  name: 'word-count',
  *map(line: string) { yield [line, 1]; },
  combine: sum,
  reduce: sum,
});
`;

test('a job becomes one small module with what the submit needs to know', async () => {
  const bundle = await bundleJob(await write({ 'wc.ts': wordCount }));
  expect(bundle.descriptor).toEqual({
    name: 'word-count',
    input: { kind: 'lines' },
    output: { kind: 'tsv', compression: 'none' },
    params: {},
    partition: 'hash',
    hasCombine: true,
    hasReduce: true,
  });
  expect(bundle.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(bundle.bytes).toBe(bundle.code.length);
  expect(bundle.bytes).toBeLessThan(40_000);
  const code = Buffer.from(bundle.code).toString();
  expect(code).not.toContain('murmur');
  expect(code).not.toContain('createRequire');
});

test('what the job says about partitions, reducers and splits is in the descriptor', async () => {
  const file = await write({
    'sort.mjs': `import { defineJob, fixedLength, rangePartition } from 'millrace';
export default defineJob(import.meta, { name: 'sort', input: fixedLength(100), params: { n: 1 }, *map(r) { yield [r, 1]; },
  partition: rangePartition(), output: fixedLength(100), reducers: 3, splitSize: '1MiB' });`,
  });
  expect((await bundleJob(pathToFileURL(file).href)).descriptor).toMatchObject({
    input: { kind: 'fixedLength', bytes: 100 },
    params: { n: 1 },
    partition: 'range',
    reducers: 3,
    splitBytes: 1024 * 1024,
    hasReduce: false,
  });
});

test('the same files give the same bytes, wherever they lie', async () => {
  const hashes = new Set<string>();
  for (const folder of ['one', 'two/deeper']) {
    const file = await write({
      [`${folder}/jobs/wc.ts`]: `import './helper.ts';\n${wordCount}`,
      [`${folder}/jobs/helper.ts`]: 'globalThis.loaded = true;',
      [`${folder}/package.json`]: '{}',
    });
    hashes.add((await bundleJob(file)).sha256);
  }
  expect(hashes.size).toBe(1);
});

/** Runs a function of the bundled job in a thread as a worker does, and gives the stack of what it throws, cleaned. */
async function stackOf(code: Uint8Array): Promise<string> {
  const bundlePath = join(project, 'cache', 'bundle.mjs');
  await mkdir(dirname(bundlePath), { recursive: true });
  await writeFile(bundlePath, code);
  const userStackUrl = new URL('../lib/user-stack.ts', import.meta.url).href;
  const source = `
    const { parentPort } = require('node:worker_threads');
    process.setSourceMapsEnabled(true);
    (async () => {
      const { default: job } = await import(${JSON.stringify(pathToFileURL(bundlePath).href)});
      const { userStack } = await import(${JSON.stringify(userStackUrl)});
      try { for (const _ of job.map('x', {})); } catch (error) { parentPort.postMessage(userStack(error)); }
    })();`;
  const thread = new Worker(source, { eval: true, execArgv: [] });
  try {
    return await new Promise<string>((resolve, reject) =>
      thread.once('message', resolve).once('error', reject),
    );
  } finally {
    await thread.terminate();
  }
}

test('a stack trace of the running bundle names lines of the project and nothing else', async () => {
  const file = await write({
    'jobs/p99.ts': `import { defineJob } from 'millrace';
import { parse } from '../lib é/parse.ts';

interface Unused { erased: boolean }
export default defineJob(import.meta, {
  name: 'p99',
  *map(line: string) {
    yield [parse(line), 1];
  },
});
`,
    'lib é/parse.ts': `export function parse(line: string): string {
  if (line !== '') {
    throw new TypeError('ms must be a number');
  }
  return line;
}
`,
    'package.json': '{ "name": "mine" }',
  });
  const { code } = await bundleJob(file);
  expect(await stackOf(code)).toBe('    at parse (lib é/parse.ts:3:11)\n    at map (jobs/p99.ts:8:12)');
});

test('packages are bundled, also CommonJS ones that require parts of Node', async () => {
  const file = await write({
    'job.js': `import { defineJob } from 'millrace';
import { hash } from 'dependency';
const require = 1;
export default defineJob(import.meta, { name: hash('x') + require, *map(line) { yield [line, 1]; } });`,
    'node_modules/dependency/package.json': '{ "name": "dependency", "main": "index.js" }',
    'node_modules/dependency/index.js': `const { createHash } = require('node:crypto');
exports.hash = (text) => createHash('md5').update(text).digest('hex');`,
  });
  expect((await bundleJob(file)).descriptor.name).toBe('9dd4e461268c8034f5c8564e155c67a61');
});

test('a syntax error is shown at its place', async () => {
  const file = await write({ 'jobs/bad.ts': 'const a = 1;\nconst b = = 2;\n', 'package.json': '{}' });
  expect(await refusal(bundleJob(file))).toBe(
    [
      'jobs/bad.ts cannot be bundled',
      'jobs/bad.ts:2:11: Unexpected "="',
      ' > 2 | const b = = 2;',
      '     |           ^',
    ].join('\n'),
  );
});

test('a missing import is named, at its place', async () => {
  const file = await write({ 'bad.ts': `import pad from 'left-padd';\n${wordCount}export { pad };\n` });
  const message = await refusal(bundleJob(file));
  expect(message).toContain('bad.ts:1:17: Could not resolve "left-padd"');
  expect(message).toContain(" > 1 | import pad from 'left-padd';");
});

test('the testing entry and native addons are refused with the reason', async () => {
  const testing = await write({
    'a.ts': `import { runInline } from 'millrace/testing';\nexport default runInline;\n`,
  });
  expect(await refusal(bundleJob(testing))).toContain(
    'a.ts:1:27: millrace/testing cannot be imported by a job file: it is not there on a worker',
  );
  const addon = await write({
    'b.ts': `import addon from './fast.node';\nexport default addon;\n`,
    'fast.node': '',
  });
  expect(await refusal(bundleJob(addon))).toContain(
    'b.ts:1:19: the native addon ./fast.node cannot be shipped with a job',
  );
});

test.each([
  ['export default function map() {}', 'exports the function map by default'],
  ['export default { name: "x", map() {} }', 'exports an object { name, map } by default'],
  ['export const job = 1;', 'exports job, but nothing by default'],
  ['globalThis.loaded = true;', 'exports nothing'],
  ['export default 42;', 'exports number 42 by default'],
])('a wrong default export is described: %s', async (source, found) => {
  expect(await refusal(bundleJob(await write({ 'wrong.ts': source })))).toBe(
    `wrong.ts ${found}; expected a job: export default defineJob(import.meta, { name, map, … })`,
  );
});

test('an exception while loading is shown with its place and source', async () => {
  const file = await write({
    'throws.ts': `${wordCount}\nfunction check() {\n  throw new RangeError('no table');\n}\ncheck();\n`,
  });
  expect(await refusal(bundleJob(file))).toBe(
    [
      'throws.ts threw while it was loaded: RangeError: no table',
      '    at check (throws.ts:10:9)',
      '    at throws.ts:12:1',
      '    8 | ',
      '    9 | function check() {',
      " > 10 |   throw new RangeError('no table');",
    ].join('\n'),
  );
});

test('a mistake in the definition is shown where defineJob is called', async () => {
  const file = await write({
    'job.js': wordCount.replace('line: string', 'line').replace('combine', 'combiner'),
  });
  expect(await refusal(bundleJob(file))).toBe(
    [
      "job.js:2:16: job 'word-count': unknown option 'combiner'; did you mean 'combine'?",
      "   1 | import { defineJob, sum } from 'millrace';",
      ' > 2 | export default defineJob(import.meta, {',
    ].join('\n'),
  );
});

test('calling the client from a job file is refused', async () => {
  const file = await write({ 'job.ts': `import * as millrace from 'millrace';\nmillrace.connect();\n` });
  expect(await refusal(bundleJob(file))).toContain(
    'job.ts:2:10: connect() cannot be called where a job is loaded',
  );
});

test('a job file that ends the process, or never ends, is told from one that works', async () => {
  expect(await refusal(bundleJob(await write({ 'a.ts': 'process.exit(7);' })))).toBe(
    'a.ts stopped before it was loaded (exit code 7): it calls process.exit(), or awaits at top level what never comes',
  );
  expect(await refusal(bundleJob(await write({ 'b.ts': 'await new Promise(() => undefined);' })))).toContain(
    'b.ts stopped before it was loaded',
  );
  const code = Buffer.from('for (;;);');
  expect(await refusal(describeJob(code, { jobFile: 'c.ts', timeoutMs: 200 }))).toBe(
    'c.ts did not finish loading within 0.2 s',
  );
});

test('what the job file is asked for must be there', async () => {
  expect(await refusal(bundleJob(join(project, 'nope.ts')))).toBe(
    `there is no job file ${join(project, 'nope.ts')}`,
  );
  expect(await refusal(bundleJob('nope.ts'))).toContain('there is no job file nope.ts (looked for /');
  expect(await refusal(bundleJob(project))).toContain('is not a file; a job is one file');
  expect(await refusal(bundleJob(await write({ 'job.py': '' })))).toContain(
    'a job file ends with .ts, .mts, .js, .mjs; got',
  );
});

test('a bundle over the limit is refused with the limit, its size and what makes it large', async () => {
  const file = await write({
    'big.ts': `import { table } from './table.ts';\n${wordCount}console.error(table);`,
    'table.ts': `export const table = '${'x'.repeat(50_000)}';`,
  });
  await expect(bundleJob(file, { bytesMax: 40_000 })).rejects.toThrow(
    /the bundle of big\.ts, in bytes, is \d+, over the limit of 40000; import less; the largest parts are table\.ts \(48\.8 KiB\)/,
  );
});
