/** What README.md promises of a checkout: its code runs as printed, the demo shows ten words, `npx millrace` works in any folder. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readmeCode } from '../readme-code.ts';
import { cliPath } from './cluster.ts';
import { ask, exampleRuns, examples } from './example-oracles.ts';

const root = join(import.meta.dirname, '../..');
// The program that needs a cluster is run by test/containers/compose.test.ts.
const wordCount = readmeCode(`name: 'word-count'`);
const slowest = readmeCode('// slowest.ts');
const words = readmeCode('input: words()');
const testOfSlowest = readmeCode('runInline(');

let folder: string;
beforeAll(() => {
  mkdirSync(join(root, '.millrace'), { recursive: true });
  folder = mkdtempSync(join(root, '.millrace/checkout-test-'));
  writeFileSync(join(folder, 'slowest.ts'), slowest);
  writeFileSync(
    join(folder, 'hits.jsonl'),
    '{"path":"/a","ms":3}\n{"path":"/b","ms":-1}\n{"path":"/a","ms":7}\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program in the folder and returns what it printed on stdout. */
function say(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
}

describe('README.md', () => {
  it('shows word count as it is in examples/', () => {
    const example = readFileSync(join(examples, 'word-count.ts'), 'utf8');
    expect(wordCount).toBe(example.replace(/^\/\*\*.*\n/, ''));
  });

  it('shows a job of your own that runs', () => {
    expect(say(process.execPath, [cliPath, 'run', 'slowest.ts', '-i', 'hits.jsonl'])).toBe('/a\t7\n');
  });

  it('shows a job without code that counts words', () => {
    const imports = `import { count, defineJob, words } from 'millrace';\n`;
    writeFileSync(join(folder, 'words.ts'), imports + words);
    writeFileSync(join(folder, 'text.txt'), 'to be or not to be\n');
    const counts = say(process.execPath, [cliPath, 'run', 'words.ts', '-i', 'text.txt']);
    expect(counts.trim().split('\n').sort()).toEqual(['be\t2', 'not\t1', 'or\t1', 'to\t2']);
  });

  it('shows a test of it that runs and gives what its comment says', () => {
    const comment = /^\/\/ (.*)$/m.exec(testOfSlowest)?.[1]?.replaceAll(`'`, '"');
    writeFileSync(
      join(folder, 'slowest-test.ts'),
      `${testOfSlowest}\nconsole.log(JSON.stringify(output));\n`,
    );
    expect(JSON.parse(say(process.execPath, ['slowest-test.ts']))).toEqual(JSON.parse(comment ?? ''));
  });
});

describe('the checkout', () => {
  it('runs npx millrace in any folder, for a job in a package of its own', () => {
    const inside = join(folder, 'package');
    mkdirSync(inside);
    writeFileSync(join(inside, 'package.json'), '{ "name": "other", "type": "module" }');
    writeFileSync(join(inside, 'slowest.ts'), slowest);
    expect(say('npx', ['millrace', 'run', 'package/slowest.ts', '-i', 'hits.jsonl'])).toBe('/a\t7\n');
  });

  it('shows the ten most frequent words in the demo, the most frequent first', () => {
    const shown = say(process.execPath, [join(root, 'scripts/demo.mjs')]);
    const counts = [...shown.matchAll(/^ +(\d+) {2}[A-Za-z]+$/gm)].map(([, count]) => Number(count));
    expect(counts).toHaveLength(10);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    expect(counts[9]).toBeGreaterThan(0);
  });
});

describe('examples that chain jobs', () => {
  const oracleOf = (name: string) => ask(exampleRuns.find((example) => example.name === name)?.oracle ?? '');

  it('top-k/main.ts gives the most frequent words', () => {
    const output = join(folder, 'top-k');
    say(process.execPath, [join(examples, 'top-k/main.ts'), join(examples, 'data/text/*.txt'), output]);
    const top = readFileSync(join(output, 'top/part-r-00000'), 'latin1');
    const wanted = oracleOf('top-k/top');
    expect(top.split('\n')).toHaveLength(11);
    expect(top.startsWith(wanted)).toBe(true);
  });

  it('matrix-multiply/main.ts gives the product', () => {
    const output = join(folder, 'matrix');
    say(process.execPath, [
      join(examples, 'matrix-multiply/main.ts'),
      join(examples, 'data/matrices.txt'),
      output,
    ]);
    const shown = execFileSync('bash', ['--norc', '-c', 'cat sums/part-r-*'], {
      cwd: output,
      encoding: 'latin1',
    });
    expect(shown.split('\n').sort()).toEqual(oracleOf('matrix-multiply/add').split('\n').sort());
  });
});
