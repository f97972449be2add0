import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generate } from '../generate.ts';
import { accessLogLine, grepPattern, type ScenarioName } from '../scenarios/scenario-name.ts';
import type { Peer, PeerProgram } from './peer.ts';
import { peers } from './peers.ts';
import { plain } from './plain.ts';

const inputBytes = 5_000_000;
const slowTimeoutMs = 900_000;
const withSlow = process.env.MILLRACE_TEST_SLOW_PEERS === '1';

const inputOf: Readonly<Record<ScenarioName, string>> = {
  'word-count': 'words',
  grep: 'words',
  sort: 'records',
  'inverted-index': 'documents',
  p99: 'access-log',
  'map-only': 'access-log',
  'start-up': 'two-words',
  group: 'events',
  'small-files': 'files',
};

/** Where the order of the answer is asked for, too. */
const isOrdered = (scenario: ScenarioName) => scenario === 'sort' || scenario === 'map-only';

let folder: string;
let runs = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-peers-'));
  const put = (name: string, lines: readonly string[]) =>
    writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(''));
  generate('zipf', inputBytes, join(folder, 'words'));
  generate('records', inputBytes, join(folder, 'records'));
  const lines = readFileSync(join(folder, 'words'), 'latin1').trimEnd().split('\n');
  put('two-words', ['hello world']);
  const some = lines.slice(0, 4000);
  put(
    'documents',
    some.map((line, index) => `d${String(index).padStart(8, '0')}\t${line}`),
  );
  put(
    'events',
    some.map((line, index) => JSON.stringify({ user: `u${index % 37}`, body: line })),
  );
  put('access-log', accessLog());
  for (const [index, line] of some.slice(0, 40).entries()) {
    mkdirSync(join(folder, `files/d${index % 3}`), { recursive: true });
    put(`files/d${index % 3}/f${index}.txt`, [line, 'a b']);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Path i has i requests, so that every remainder of 100 is among the ranks. */
function accessLog(): string[] {
  const lines: string[] = [];
  for (let path = 1; path <= 210; path++) {
    for (let request = 0; request < path; request++) {
      const status = request % 7 === 0 ? 503 : 200;
      lines.push(
        `10.0.0.1 - - [21/Nov/2026:10:00:00 +0000] "GET /${path} HTTP/1.1" ${status} 512 ${(request * 7919) % 1009}`,
      );
    }
  }
  return lines;
}

async function answer(program: PeerProgram, scenario: ScenarioName): Promise<string> {
  const place = join(folder, `run-${runs++}`);
  const scratch = join(place, 'scratch');
  mkdirSync(scratch, { recursive: true });
  const output = join(place, 'output');
  const task = { scenario, input: join(folder, inputOf[scenario]), output, scratch, threads: 2 };
  const { program: file, args, env } = program.command(task);
  await promisify(execFile)(file, args, { env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 });
  const text = outputFiles(output)
    .map((path) => readFileSync(path, 'latin1'))
    .join('');
  rmSync(place, { recursive: true });
  return isOrdered(scenario) ? text : text.split('\n').sort().join('\n');
}

function outputFiles(output: string): string[] {
  if (!statSync(output).isDirectory()) return [output];
  const parts = readdirSync(output).filter((name) => name.startsWith('part-'));
  return parts.sort().map((name) => join(output, name));
}

async function found(peer: Peer): Promise<PeerProgram | string> {
  if (peer.isSlow && peer !== plain && !withSlow)
    return 'slow: set MILLRACE_TEST_SLOW_PEERS=1 to run the installed ones';
  const program = await peer.find();
  return 'missing' in program ? program.missing : program;
}

async function plainAnswer(scenario: ScenarioName): Promise<string> {
  const script = await plain.find();
  if ('missing' in script) throw new Error(script.missing);
  return answer(script, scenario);
}

const programs = await Promise.all(peers.map(async (peer) => ({ peer, program: await found(peer) })));

describe('what each system answers is what the plain scripts answer', () => {
  for (const { peer, program } of programs.filter(({ peer }) => peer !== plain)) {
    const why = typeof program === 'string' ? `SKIPPED, ${program}` : '';
    if (why) console.error(`${peer.title}: ${why}`);
    it.skipIf(why !== '').each(peer.scenarios)(
      `${peer.title}: %s ${why}`,
      async (scenario) => {
        if (typeof program === 'string') throw new Error(program);
        const wanted = await plainAnswer(scenario);
        const got = await answer(program, scenario);
        // Megabytes of difference would be no help.
        expect(got === wanted, `${got.slice(0, 300)} is not ${wanted.slice(0, 300)}`).toBe(true);
      },
      peer.isSlow ? slowTimeoutMs : undefined,
    );
  }
});

describe('the plain scripts', () => {
  it('count two words, and the lines with the pattern', async () => {
    expect(await plainAnswer('start-up')).toBe('\nhello\t1\nworld\t1');
    const lines = readFileSync(join(folder, 'words'), 'latin1').split('\n');
    expect(await plainAnswer('grep')).toBe(`\n${lines.filter((line) => line.includes(grepPattern)).length}`);
  });

  it('take the value of the nearest rank', async () => {
    const times = new Map<string, number[]>();
    for (const line of accessLog()) {
      const [, path = '', , ms] = accessLogLine.exec(line) ?? [];
      times.set(path, [...(times.get(path) ?? []), Number(ms)]);
    }
    // The smallest value that at least 99 of 100 do not exceed.
    const expected = [...times].map(([path, all]) => {
      const enough = all.filter((ms) => 100 * all.filter((other) => other <= ms).length >= 99 * all.length);
      return `${path}\t${Math.min(...enough)}`;
    });
    expect(await plainAnswer('p99')).toBe(['', ...expected].sort().join('\n'));
  });

  it('put records in the order of their keys', async () => {
    const keys = (await plainAnswer('sort'))
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(0, 10));
    expect(keys).toHaveLength(inputBytes / 100);
    expect(keys.every((key, index) => index === 0 || keys[index - 1]! <= key)).toBe(true);
  });
});

it('asks for every system by a name of its own', () => {
  expect(new Set(peers.map(({ name }) => name)).size).toBe(peers.length);
});
