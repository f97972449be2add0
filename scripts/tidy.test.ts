import { describe, expect, it } from 'vitest';
import {
  checkBans,
  checkDead,
  checkImports,
  checkLinks,
  checkLock,
  checkMarkers,
  checkSizes,
  entryPoints,
  type Problem,
} from './tidy-rules.ts';
import { parseSource } from './tidy-source.ts';

const source = (path: string, text: string) => parseSource({ path, text });
const said = (problems: readonly Problem[]) =>
  problems.map(({ level, line, message }) => `${level} ${line}: ${message}`);
const linesOf = (count: number, line = 'f();') => `${line}\n`.repeat(count);

describe('sizes', () => {
  it.each([
    [300, []],
    [301, ['warning 1: 301 lines, over 300']],
    [500, ['warning 1: 500 lines, over 300']],
    [501, ['error 1: 501 lines, over the limit of 500: split the file']],
  ])('of a file with %i lines', (count, expected) => {
    expect(said(checkSizes(source('lib/x.ts', linesOf(count))))).toEqual(expected);
  });

  it.each([
    ['function f() {', '}', 'f'],
    ['class C { m() {', '} }', 'm'],
    ['const g = () => {', '};', 'g'],
  ])('of the function %s', (open, close, name) => {
    const withLines = (count: number) => `\n${open}\n${linesOf(count - 2)}${close}\n`;
    expect(said(checkSizes(source('lib/x.ts', withLines(40))))).toEqual([]);
    expect(said(checkSizes(source('lib/x.ts', withLines(41))))).toEqual([
      `warning 2: ${name} has 41 lines, over 40`,
    ]);
    expect(said(checkSizes(source('lib/x.ts', withLines(71))))).toEqual([
      `error 2: ${name} has 71 lines, over the limit of 70: split it`,
    ]);
  });

  it('leaves the functions of tests alone', () => {
    expect(checkSizes(source('lib/x.test.ts', `describe('x', () => {\n${linesOf(100)}});\n`))).toEqual([]);
  });
});

describe('import directions', () => {
  it.each([
    ['lib/x.ts', '../worker/main.ts'],
    ['lib/store/x.ts', '../../proto/load.ts'],
    ['proto/load.ts', '../lib/ids.ts'],
    ['coordinator/core/step.ts', '../journal.ts'],
    ['coordinator/core/step.ts', 'node:fs'],
    ['coordinator/core/step.ts', 'pino'],
    ['coordinator/loop.ts', '../worker/main.ts'],
    ['worker/map/map-task.ts', '../control/session.ts'],
    ['worker/shuffle/fetch.ts', '../control/session.ts'],
    ['worker/reduce/reduce-task.ts', '../control/session.ts'],
    ['worker/main.ts', '../coordinator/main.ts'],
    ['sdk/client.ts', '../coordinator/main.ts'],
    ['sdk/client.ts', '../worker/main.ts'],
    ['sdk/local.ts', '../cli/main.ts'],
    ['cli/submit.ts', '../coordinator/journal.ts'],
    ['cli/submit.ts', '../worker/map/map-task.ts'],
    ['examples/x.ts', '../sdk/index.ts'],
    ['examples/x.ts', 'commander'],
    ['bench/main.ts', '../test/e2e/cluster.ts'],
    ['scripts/tidy.ts', '../lib/ids.ts'],
  ])('%s must not import %s', (path, specifier) => {
    expect(checkImports(source(path, `import { x } from '${specifier}';`))).toHaveLength(1);
  });

  it.each([
    ['lib/store/x.ts', '../errors.ts'],
    ['coordinator/core/step.ts', '../../lib/ids.ts'],
    ['worker/map/map-task.ts', '../shuffle/run-file.ts'],
    ['sdk/local.ts', '../coordinator/main.ts'],
    ['sdk/testing.ts', '../worker/map/map-task.ts'],
    ['sdk/testing/run-inline.ts', '../../worker/map/map-task.ts'],
    ['cli/worker.ts', '../worker/main.ts'],
    ['examples/x.ts', 'millrace/testing'],
    ['examples/top-k/main.ts', './count.ts'],
    ['lib/x.test.ts', '../worker/main.ts'],
  ])('%s may import %s', (path, specifier) => {
    expect(checkImports(source(path, `import { x } from '${specifier}';`))).toEqual([]);
  });

  it.each([
    `import type { X } from '../worker/main.ts';`,
    `export { x } from '../worker/main.ts';`,
    `const x = await import('../worker/main.ts');`,
    `type X = import('../worker/main.ts').X;`,
    `new Worker(new URL('../worker/main.ts', import.meta.url));`,
    `new Worker(new URL(\`../worker/main\${extension}\`, import.meta.url));`,
    `join(import.meta.dirname, '../worker/main.ts');`,
    `join(import.meta.dirname, \`../worker/main\${extension}\`);`,
  ])('sees %s', (text) => {
    expect(said(checkImports(source('lib/x.ts', text)))).toEqual([
      expect.stringMatching(/^error 1: imports (\.\/)?\.\.\/worker\/main\.ts: lib imports nothing of ours$/),
    ]);
  });
});

describe('banned calls', () => {
  it.each([
    'Date.now();',
    'new Date();',
    'Math.random();',
    'setTimeout(f, 1);',
    'setInterval(f, 1);',
    'performance.now();',
    'process.pid;',
    'process.nextTick(f);',
    'await f();',
    'for await (const x of y) f(x);',
    'Promise.resolve();',
    'new Promise(f);',
  ])('%s in coordinator/core', (text) => {
    expect(checkBans(source('coordinator/core/step.ts', text)).length).toBeGreaterThan(0);
    expect(checkBans(source('coordinator/loop.ts', text))).toEqual([]);
  });

  it('process.env in the middle of a program', () => {
    const text = 'const home = process.env.HOME;';
    expect(checkBans(source('worker/map/spill.ts', text))).toHaveLength(1);
    expect(checkBans(source('lib/log.ts', text))).toHaveLength(1);
    expect(checkBans(source('cli/main.ts', text))).toEqual([]);
  });

  it('console outside the command line', () => {
    expect(checkBans(source('worker/main.ts', 'console.log(1);'))).toHaveLength(1);
    expect(checkBans(source('cli/main.ts', 'console.log(1);'))).toEqual([]);
  });

  it('not in comments and strings', () => {
    const text = `// Date.now() and await\nconst text = 'Math.random()';`;
    expect(checkBans(source('coordinator/core/step.ts', text))).toEqual([]);
  });
});

describe('left-overs', () => {
  it.each(['// TODO later', '/* FIXME */', '// @ts-ignore', '  debugger;'])('%s', (text) => {
    expect(checkMarkers(source('lib/x.ts', `\n${text}\n`))).toMatchObject([{ line: 2, rule: 'marker' }]);
  });

  it.each([`it.only('x', f)`, `describe.skip('x', f)`, `test.todo('x')`, `xit('x', f)`])('%s', (text) => {
    expect(checkMarkers(source('lib/x.test.ts', text))).toMatchObject([{ rule: 'focus' }]);
  });

  it('a test that says under which condition it is skipped is fine', () => {
    expect(checkMarkers(source('lib/x.test.ts', `it.skipIf(noDocker)('x', f)`))).toEqual([]);
  });
});

describe('dead files', () => {
  const files = [
    source('cli/main.ts', `import { a } from '../lib/a.ts';`),
    source('lib/a.ts', `export { b } from './b.ts';`),
    source('lib/b.ts', ''),
    source('lib/c.ts', ''),
    source('lib/c.test.ts', `import { c } from './c.ts';`),
  ];

  it('are those that no entry point reaches, used by a test or not', () => {
    expect(checkDead(files, ['cli/main.ts']).map(({ path }) => path)).toEqual(['lib/c.ts']);
  });

  it('are many when an entry point is gone', () => {
    expect(checkDead(files, []).map(({ path }) => path)).toEqual([
      'cli/main.ts',
      'lib/a.ts',
      'lib/b.ts',
      'lib/c.ts',
    ]);
  });

  it('are not what package.json starts', () => {
    expect(
      entryPoints(
        `{"bin": "dist/cli/main.js", "tidy": "node scripts/tidy.ts", "sim": "node scripts/run.mjs sim.ts"} reporters: ['./scripts/r.ts']`,
      ),
    ).toEqual(['cli/main.ts', 'scripts/tidy.ts', 'scripts/run.mjs', 'sim.ts', 'scripts/r.ts']);
  });
});

describe('Markdown links', () => {
  const files: Record<string, string> = { 'docs/HACKING.md': '# Hacking\n\n## How to debug: a job\n' };
  const check = (text: string, path = 'README.md') =>
    said(
      checkLinks(
        { path, text },
        (name) => name in files || name === path,
        (name) => files[name],
      ),
    );

  it.each([
    '[a](docs/HACKING.md)',
    '[a](docs/HACKING.md#how-to-debug-a-job)',
    '[a](https://example.org/x)',
    '```\n[a](nowhere.md)\n```',
  ])('%s is fine', (text) => {
    expect(check(text)).toEqual([]);
  });

  it('are relative to their file', () => {
    expect(check('[a](HACKING.md)', 'docs/x.md')).toEqual([]);
    expect(check('[a](docs/HACKING.md)', 'docs/x.md')).toHaveLength(1);
  });

  it('to a file that is not there', () => {
    expect(check('\n[a](docs/GONE.md)')).toEqual(['error 2: link to docs/GONE.md: there is no docs/GONE.md']);
  });

  it('to a heading that is not there', () => {
    expect(check('[a](docs/HACKING.md#gone)')).toEqual([
      'error 1: link to docs/HACKING.md#gone: docs/HACKING.md has no such heading',
    ]);
  });
});

describe('the lock file', () => {
  it('names no registry', () => {
    expect(checkLock('{\n  "version": "1.0.0"\n}')).toEqual([]);
    expect(checkLock('{\n  "resolved": "https://registry.example/x.tgz"\n}')).toMatchObject([{ line: 2 }]);
  });
});
