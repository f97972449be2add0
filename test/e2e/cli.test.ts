/** `millrace run` and usage, as a user meets them: real processes, exit codes, what is on stdout and what is left behind. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { endAll, runCli, startCli } from './cli-process.ts';
import { cliPath } from './cluster.ts';

let folder: string;
let temporary: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
  temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  write('in.txt', 'one two\nthree boom two\n');
  write(
    'word-count.ts',
    `import { defineJob, sum } from 'millrace';
export default defineJob(import.meta, {
  name: 'word-count',
  params: { prefix: '' },
  *map(line, ctx) {
    ctx.counter('lines').add();
    for (const word of line.split(' ')) yield [ctx.params.prefix + word, 1];
  },
  combine: sum,
  reduce: sum,
});
`,
  );
});

afterEach(endAll);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function environment() {
  return { TMPDIR: temporary, NODE_COMPILE_CACHE: join(folder, 'compiled') };
}

/** In the test's folder, with a folder of its own for temporary files. */
function millrace(...args: string[]) {
  return runCli(args, { cwd: folder, env: environment() });
}

describe('run', () => {
  it('prints the records of all parts in order on stdout, and the summary on stderr', async () => {
    const { code, stdout, stderr } = await millrace('run', 'word-count.ts', '-i', 'in.txt', '-r', '1');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'boom\t1\none\t1\nthree\t1\ntwo\t2\n' });
    expect(stderr).toMatch(/^✔ word-count done in \S+: 2 records \(\d+ B\) read\n {2}counters lines 2\n$/);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('writes parts and _SUCCESS to the folder, and prints the final view with --json', async () => {
    const { code, stdout, stderr } = await millrace(
      ...['run', 'word-count.ts', '-i', 'in.txt', '-o', 'out', '-r', '2', '--param', 'prefix=w-', '--json'],
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'COMPLETED',
      counters: { lines: 2 },
      params: { prefix: 'w-' },
    });
    expect(readdirSync(join(folder, 'out')).sort()).toEqual(['_SUCCESS', 'part-r-00000', 'part-r-00001']);
    expect(stderr).toContain(`output   ${join(folder, 'out')}/`);
  });

  it('says nothing with --quiet but the records', async () => {
    write('words.ts', job('words', `*map(line) { for (const word of line.split(' ')) yield [word, 1]; }`));
    const ended = await millrace('run', 'words.ts', '-i', 'in.txt', '-r', '0', '--quiet');
    expect(ended).toMatchObject({
      code: 0,
      stdout: 'one\t1\ntwo\t1\nthree\t1\nboom\t1\ntwo\t1\n',
      stderr: '',
    });
  });

  it('refuses a folder that is not empty, and does as --if-exists says', async () => {
    const args = ['run', 'word-count.ts', '-i', 'in.txt', '-o', 'existing', '-r', '1', '-q'];
    expect((await millrace(...args)).code).toBe(0);
    const before = readFileSync(join(folder, 'existing/part-r-00000'), 'utf8');
    const refused = await millrace(...args);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/existing\/ is not empty .* --if-exists replace or append/);
    expect(readFileSync(join(folder, 'existing/part-r-00000'), 'utf8')).toBe(before);
    expect((await millrace(...args, '--if-exists', 'append')).code).toBe(0);
    expect(readdirSync(join(folder, 'existing')).sort()).toEqual([
      '_SUCCESS',
      'part-r-00000',
      'part-r-00001',
    ]);
    expect((await millrace(...args, '--if-exists', 'replace', '--param', 'prefix=x')).code).toBe(0);
    expect(readFileSync(join(folder, 'existing/part-r-00000'), 'utf8')).toMatch(/^xboom\t1\n/);
  });

  it('ends as a success when the reader of stdout has seen enough', () => {
    write(
      'many.ts',
      job('many', `*map() { for (let i = 0; i < 400_000; i++) yield [i, 'some text to fill the pipe']; }`),
    );
    const command = `"${process.execPath}" "${cliPath}" run many.ts -i in.txt -r 1 -q | head -n 1; exit "\${PIPESTATUS[0]}"`;
    const done = spawnSync('bash', ['-c', command], { cwd: folder, encoding: 'utf8' });
    expect(done).toMatchObject({ status: 0, stdout: '0\tsome text to fill the pipe\n', stderr: '' });
  });

  it('cancels the job at Ctrl-C, leaves nothing behind and exits with 130', async () => {
    const started = join(folder, 'started');
    const map = `*map() { fs.writeFileSync(${JSON.stringify(started)}, ''); for (;;); }`;
    write('endless.ts', `import fs from 'node:fs';\n${job('endless', map)}`);
    const running = startCli(['run', 'endless.ts', '-i', 'in.txt', '-o', 'interrupted', '--json'], {
      cwd: folder,
      env: environment(),
    });
    await until('the job has started', () => existsSync(started));
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 130, stdout: '' });
    expect(existsSync(join(folder, 'interrupted'))).toBe(false);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

function job(name: string, members: string): string {
  return `import { defineJob } from 'millrace';\nexport default defineJob(import.meta, { name: '${name}', ${members} });\n`;
}

describe('what goes wrong in a job', () => {
  const cases: [what: string, text: string, code: number, message: RegExp, flags?: string[]][] = [
    [
      'an error thrown in map',
      job(
        'a',
        `*map(line) {\n  if (line.includes('boom')) throw new TypeError('bad line');\n  yield [line, 1];\n}`,
      ),
      1,
      /TypeError: bad line\n.*at map \(job-0\.ts:3:\d+\)\n[\s\S]* > 3 \|.*throw new TypeError[\s\S]*in {7}map\(\)\n {2}record {3}.*in\.txt, byte offset 8\n {2}attempts 2 failed attempts/,
    ],
    [
      'an error thrown in reduce',
      job('a', `*map(line) { yield [line, 1]; },\n*reduce(key) {\n  throw new Error('no ' + key);\n}`),
      1,
      /Error: no .*\n.*at reduce \(job-1\.ts:4:\d+\)[\s\S]*in {7}reduce\(\)\n {2}record {3}key "/,
    ],
    [
      'a value that cannot be encoded',
      job('a', '*map(line) { yield [line, () => 1]; }'),
      1,
      /value of type function cannot be encoded/,
    ],
    [
      'a key that cannot be encoded',
      job('a', '*map(line) { yield [{}, 1]; }'),
      1,
      /key of type object .*cannot be encoded/,
    ],
    [
      'a loop that does not end',
      job('a', '*map(line) { for (;;); yield [line, 1]; }'),
      1,
      /timeout: task m0\.1 read, wrote and reported nothing for 500ms and was stopped/,
      ['--task-timeout', '500ms', '--max-attempts', '2'],
    ],
    [
      'more memory than a slot has',
      job(
        'a',
        '*map(line) { const all = []; for (;;) all.push({ line, n: Math.random() }); yield [line, all]; }',
      ),
      1,
      /out-of-memory: .*32 MiB[\s\S]*--slot-memory/,
      ['--slot-memory', '32MiB', '--max-attempts', '1'],
    ],
    [
      'process.exit()',
      job('a', '*map(line) { process.exit(3); yield [line, 1]; }'),
      1,
      /the job called process\.exit\(3\)/,
    ],
    [
      'a rejection that nobody handles',
      job(
        'a',
        `async *map(line) { Promise.reject(new Error('unheard')); await new Promise((r) => setTimeout(r, 20)); yield [line, 1]; }`,
      ),
      1,
      /Error: unheard\n.*at map \(job-7\.ts:2:\d+\)/,
    ],
    ['a syntax error', 'export default {\n', 2, /job-8\.ts:\d+:\d+: .*\n > \d+ \|/],
    [
      'a missing import',
      `import './nowhere.ts';\nexport default 1;\n`,
      2,
      /job-9\.ts:1:\d+: Could not resolve "\.\/nowhere\.ts"/,
    ],
    [
      'a default export that is no job',
      'export default 42;\n',
      2,
      /exports number 42 by default; expected a job/,
    ],
    ['no default export', 'export const x = 1;\n', 2, /expected a job: export default defineJob/],
  ];

  it.each(cases.map((one, i) => [one[0], i] as const))('%s', async (_what, i) => {
    const [, text, code, message, flags = []] = cases[i]!;
    write(`job-${i}.ts`, text);
    const ended = await millrace(
      'run',
      `job-${i}.ts`,
      '-i',
      'in.txt',
      '-o',
      `out-${i}`,
      '--slots',
      '1',
      ...flags,
    );
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toMatch(/node:internal|dist\/|\/worker\/|\/sdk\//);
    expect(existsSync(join(folder, `out-${i}`))).toBe(false);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe('usage', () => {
  it.each([
    [[], /Usage: millrace/],
    [['rnu'], /unknown command 'rnu'\n\(Did you mean run\?\)/],
    [['run'], /missing required argument 'JOB'/],
    [['run', 'word-count.ts'], /no input: give -i PATTERN/],
    [['run', 'nothing.ts', '-i', 'in.txt'], /there is no job file nothing\.ts/],
    [['run', 'word-count.ts', '-i', 'none-*'], /no object matches the input pattern .*none-\*/],
    [
      ['run', 'word-count.ts', '-i', 'in.txt', '--param', 'prefx=1'],
      /no parameter 'prefx'.*did you mean 'prefix'\?/,
    ],
    [
      ['run', 'word-count.ts', '-i', 'in.txt', '-r', '0', '-o', 'x', '--maps', 'two'],
      /--maps <N>' argument 'two' is invalid/,
    ],
    [['submit', 'word-count.ts', '-i', 'in.txt'], /no output: give -o/],
    [['status'], /missing required argument 'ID'/],
    [['status', '../x'], /job id must match/],
    [['coordinator'], /required option '--store <URL>' not specified/],
    [
      ['coordinator', '--store', 'file:///x', '--listen', '0.0.0.0:0'],
      /without credentials; set MILLRACE_CLIENT_TOKEN/,
    ],
    [
      ['coordinator', '--store', 'file:///x', '--backup-after', 'soon'],
      /--backup-after: expected a duration/,
    ],
    [['bench', '--scenarios', 'word-cuont'], /--scenarios: there is no word-cuont; there are start-up/],
  ])('%j is an error that says what is wrong', async (args, message) => {
    const ended = await millrace(...args);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(message);
  });

  it('prints help of a command on stdout, with the variable of each flag', async () => {
    const { code, stdout } = await millrace('worker', '--help');
    expect(code).toBe(0);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('--slot-memory <SIZE>');
    expect(stdout).toContain('MILLRACE_SLOT_MEMORY');
  });

  it('exits with 3 when no coordinator answers', async () => {
    const ended = await millrace('list', '--coordinator', '127.0.0.1:1');
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(ended.stderr).toMatch(/the coordinator at 127\.0\.0\.1:1 cannot be reached/);
  });

  it('exits with 2 for a scratch folder that cannot be written', async () => {
    write('a-file', '');
    const ended = await millrace('worker', '--dir', 'a-file/scratch', '--coordinator', '127.0.0.1:1');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/a-file\/scratch/);
  });

  it('says where the benchmark is when the package has none', () => {
    cpSync(dirname(dirname(cliPath)), join(folder, 'package/dist'), { recursive: true });
    cpSync(join(cliPath, '../../../package.json'), join(folder, 'package/package.json'));
    const packaged = join(folder, 'package/dist/cli/main.js');
    const child = spawnSync(process.execPath, [packaged, 'bench', '--runs', '1'], { encoding: 'utf8' });
    expect(child).toMatchObject({ status: 2, stdout: '' });
    expect(child.stderr).toMatch(/not in the npm package: it runs in a checkout .* npx millrace bench\n$/);
  });

  it('says in one sentence that Node is too old', async () => {
    const script = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' }); await import(${JSON.stringify(cliPath)});`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(child).toMatchObject({ status: 2, stdout: '' });
    expect(child.stderr).toMatch(/^millrace needs Node 22\.18 or newer; this is Node 20\.20\.2 \(.*\)\n$/);
  });
});

describe('the environment', () => {
  it('stands in for flags', async () => {
    const { code, stdout } = await runCli(['run', 'word-count.ts'], {
      cwd: folder,
      env: {
        MILLRACE_INPUT: 'in.txt',
        MILLRACE_REDUCERS: '1',
        MILLRACE_JSON: '1',
        MILLRACE_PARAM: 'prefix=x',
      },
    });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '["xboom",1]\n["xone",1]\n["xthree",1]\n["xtwo",2]\n',
    });
  });
});

describe('servers', () => {
  it('print where they listen as JSON and end in order at SIGTERM', async () => {
    const store = `file://${join(folder, 'store')}`;
    const coordinator = startCli([
      'coordinator',
      ...['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'],
      '--store',
      store,
      '--json',
    ]);
    const { listening, http } = JSON.parse(await coordinator.firstLine);
    expect((await fetch(`http://${http}/healthz`)).status).toBe(200);
    const scratch = join(folder, 'scratch');
    const worker = startCli(['worker', '--coordinator', listening, '--dir', scratch, '--json']);
    expect(JSON.parse(await worker.firstLine)).toMatchObject({
      listening: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });
    worker.child.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
    expect(existsSync(scratch) ? readdirSync(scratch) : []).toEqual([]);
    coordinator.child.kill('SIGTERM');
    expect((await coordinator.ended).code).toBe(0);
  });

  it('dev runs jobs, and takes its workers with it even when it is killed', async () => {
    const dev = startCli(
      ['dev', '--workers', '2', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--json'],
      { env: environment() },
    );
    const { listening, workers } = JSON.parse(await dev.firstLine) as {
      listening: string;
      workers: { pid: number }[];
    };
    expect(workers).toHaveLength(2);
    const env = { MILLRACE_COORDINATOR: listening };
    const cli = (...args: string[]) => runCli(args, { cwd: folder, env });

    const submitted = await cli(
      'submit',
      'word-count.ts',
      '-i',
      'in.txt',
      '-o',
      'dev-out',
      '-r',
      '1',
      '--maps',
      '2',
    );
    expect(submitted.code).toBe(0);
    const id = submitted.stdout.trim();
    expect(id).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(submitted.stderr).toContain(`millrace results ${id} --head 10`);
    expect((await cli('results', id, '--head', '2')).stdout).toBe('boom\t1\none\t1\n');
    expect(JSON.parse((await cli('status', id, '--json')).stdout)).toMatchObject({
      jobId: id,
      state: 'COMPLETED',
    });
    expect(JSON.parse((await cli('list', '--json')).stdout)).toMatchObject([{ jobId: id }]);
    expect(await cli('cancel', id)).toMatchObject({ code: 1 });
    expect((await cli('status', 'unknown-job')).code).toBe(2);

    write('hangs.ts', job('hangs', `*map() { for (;;); }`));
    const hung = (await cli('submit', 'hangs.ts', '-i', 'in.txt', '-o', 'hung', '--detach')).stdout.trim();
    expect(await cli('results', hung)).toMatchObject({ code: 1, stdout: '' });
    const watching = startCli(['watch', hung, '--json'], { env });
    expect(JSON.parse(await watching.firstLine)).toMatchObject({ jobId: hung });
    expect((await cli('cancel', hung)).code).toBe(0);
    expect((await watching.ended).code).toBe(4);
    expect(existsSync(join(folder, 'hung'))).toBe(false);

    dev.child.kill('SIGKILL');
    await dev.ended;
    for (const { pid } of workers) await until(`worker ${pid} is gone`, () => isGone(pid));
  });

  it('submit leaves the job running at Ctrl-C and says how to go on', async () => {
    const dev = startCli(
      ['dev', '--workers', '1', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--json'],
      { env: environment() },
    );
    const { listening, workers } = JSON.parse(await dev.firstLine) as {
      listening: string;
      workers: { pid: number }[];
    };
    write('still.ts', job('still', `*map() { for (;;); }`));
    const args = ['submit', 'still.ts', '-i', 'in.txt', '-o', 'still', '--coordinator', listening];
    const submit = startCli(args, { cwd: folder });
    const id = await submit.firstLine;
    submit.child.kill('SIGINT');
    const ended = await submit.ended;
    expect(ended.code).toBe(130);
    expect(ended.stderr).toContain(`job ${id} goes on; millrace watch ${id}`);
    const view = JSON.parse((await runCli(['status', id, '--json', '--coordinator', listening])).stdout);
    expect(['SUBMITTED', 'MAPPING']).toContain(view.state);
    dev.child.kill('SIGINT');
    expect((await dev.ended).code).toBe(0);
    for (const { pid } of workers) await until(`worker ${pid} is gone`, () => isGone(pid));
  });
});

/** Of a process that is no child of ours. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ESRCH' });
    return true;
  }
}
