import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type BadRecordBudget, type BadRecordLine, parseBadRecordBudget } from '../../lib/bad-records.ts';
import type { InputFormat } from '../../lib/formats.ts';
import { toJobId } from '../../lib/ids.ts';
import { collectBytes } from '../../lib/iterables.ts';
import type { OpenPart } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import { createStores } from '../../lib/store/resolve.ts';
import type { UserJob } from '../../lib/user-job.ts';
import { makeSpec } from '../../test/core/make.ts';
import { RunReader } from '../shuffle/run-file.ts';
import { TaskContext } from '../user/context.ts';
import { createProgress } from '../user/progress.ts';
import { TaskFailure } from '../user/task-failure.ts';
import { runMapTask } from './map-task.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-bad-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Functions = Pick<UserJob, 'map' | 'mapEmit' | 'combine' | 'partition'>;

interface Options {
  readonly input?: InputFormat;
  readonly reducers?: number;
  readonly budget?: BadRecordBudget;
}

/** Maps `text` as one split and publishes what was staged, so that it can be read. */
async function map(functions: Functions, text: string | Buffer, options: Options = {}) {
  const { input = { kind: 'lines' }, reducers = 1, budget = { kind: 'count', records: 100 } } = options;
  const stores = createStores();
  const root = `mem://${randomUUID()}/`;
  const bytes = Buffer.from(text);
  const { store, key } = stores.locate(`${root}in/a`);
  await store.putIfAbsent(key, bytes);
  const piece = { uri: `${root}in/a`, start: 0, end: bytes.length, objectBytes: bytes.length, etag: '' };
  const spec = makeSpec('j', {
    input,
    reducers,
    outputUri: `${root}out/`,
    output: { kind: 'jsonl', compression: 'none' },
    partition: functions.partition ? 'custom' : 'hash',
    maxBadRecords: budget,
  });
  const attempt = { jobId: toJobId('j'), kind: 'map', index: 3, attempt: 0, epoch: 1 } as const;
  const progress = createProgress();
  const signal = new AbortController().signal;
  const context = new TaskContext({ attempt, params: {}, signal, progress, log: () => undefined });
  const directory = join(folder, randomUUID());
  mkdirSync(directory);
  const job = functions as UserJob;
  const split = { pieces: [piece], bytes: bytes.length, hosts: [] };
  const common = { spec, job, attempt, split, cutPoints: [], context, progress, stores, directory };
  const opened: OpenPart[] = [];
  const partListener = {
    onPartOpening: () => undefined,
    onPartOpened: (part: OpenPart) => void opened.push(part),
  };
  const result = await runMapTask({ ...common, partListener });
  const lines: BadRecordLine[] = [];
  for (const part of [result.bad?.part, result.part]) {
    if (!part) continue;
    const place = stores.locate(part.uri);
    await place.store.publish({ key: place.key, token: part.token, bytes: part.bytes });
  }
  if (result.bad) {
    const place = stores.locate(`${root}out/_bad/part-m-00003.jsonl`);
    const stored = (await collectBytes(place.store.read(place.key))).toString().trimEnd();
    lines.push(...stored.split('\n').map((line) => JSON.parse(line) as BadRecordLine));
  }
  return { result, lines, stores, opened };
}

async function failureOf(...args: Parameters<typeof map>) {
  const thrown = await map(...args).catch((error: unknown) => error);
  if (thrown instanceof TaskFailure) return thrown.failure;
  throw new Error(`no TaskFailure but ${String(thrown)}`);
}

const throwsOnBad: Functions = {
  *map(line) {
    yield ['first', 1];
    if (line === 'bad') throw new RangeError('cannot');
    yield ['second', 1];
  },
};

function recordsOf(path: string | undefined): number {
  using run = new RunReader(path!);
  return run.segment(0).records;
}

test('what a record yielded before it threw does not count, and the record is kept with its place and error', async () => {
  const { result, lines } = await map(throwsOnBad, 'a\nbad\nb\n');
  expect(recordsOf(result.runPath)).toBe(4);
  expect(result.inputRecords).toBe(3);
  expect(result.bad).toMatchObject({
    part: { records: 1 },
    examples: [expect.stringContaining('RangeError')],
  });
  expect(lines).toEqual([
    {
      task: 'm3',
      uri: expect.stringMatching(/in\/a$/),
      offset: 2,
      line: null,
      error: { name: 'RangeError', message: 'cannot', stack: expect.any(String) },
      raw: Buffer.from('bad').toString('base64'),
      bytes: 3,
    },
  ]);
});

test('the same with async map, and with mapEmit whose emit was refused', async () => {
  const later: Functions = {
    async *map(line) {
      yield ['first', 1];
      await Promise.resolve();
      if (line === 'bad') throw new Error('cannot');
    },
  };
  expect(recordsOf((await map(later, 'a\nbad\nb\n')).result.runPath)).toBe(2);
  const emitting: Functions = {
    mapEmit(line, emit) {
      emit('first', 1);
      if (line !== 'bad') return;
      try {
        emit({ not: 'a key' }, 1);
      } catch {
        // Swallowed by the job: the record is bad all the same.
      }
    },
  };
  const { result, lines } = await map(emitting, 'a\nbad\nb\n');
  expect(recordsOf(result.runPath)).toBe(2);
  expect(lines).toHaveLength(1);
});

test('each part is told of before it is staged: that of a map-only job, and what it skips', async () => {
  const { result, opened } = await map(throwsOnBad, 'a\nbad\nbad\n', { reducers: 0 });
  const tokens = [result.part?.token, result.bad?.part.token];
  expect(opened.map(({ token }) => token)).toEqual(tokens);
  expect((await map(throwsOnBad, 'bad\n')).opened).toHaveLength(1);
});

test('nothing is staged when nothing is bad', async () => {
  expect((await map(throwsOnBad, 'a\nb\n')).result.bad).toBeUndefined();
});

test('malformed records of JSON lines are skipped with line and bytes, and those behind them are read', async () => {
  const keep: Functions = {
    *map(record) {
      yield [String(record), 1];
    },
  };
  const { result, lines } = await map(keep, '1\n{no\n2\n\n{no\n3\n', { input: { kind: 'jsonl' } });
  expect(recordsOf(result.runPath)).toBe(3);
  expect(result.inputRecords).toBe(5);
  expect(lines.map(({ line, offset, error }) => [line, offset, error.name])).toEqual([
    [2, 2, 'MalformedRecord'],
    [5, 9, 'MalformedRecord'],
  ]);
  expect(Buffer.from(lines[0]!.raw, 'base64').toString()).toBe('{no');
});

test.each([true, false])(
  'CSV rows of the wrong width are skipped, quotedNewlines %s',
  async (quotedNewlines) => {
    const keep: Functions = {
      *map(record) {
        yield [(record as { a: string }).a, 1];
      },
    };
    const input = { kind: 'csv', header: true, delimiter: ',', quotedNewlines } as const;
    const { result, lines } = await map(keep, 'a,b\n1,2\n3\n4,5\n', { input });
    expect(recordsOf(result.runPath)).toBe(2);
    expect(lines).toHaveLength(1);
    expect(Buffer.from(lines[0]!.raw, 'base64').toString().trim()).toBe('3');
  },
);

test('the rest of a record at the end of a fixed-length object is skipped', async () => {
  const keep: Functions = {
    *map(record) {
      yield [Buffer.from(record as Uint8Array).toString(), 1];
    },
  };
  const { result, lines } = await map(keep, 'aabbc', { input: { kind: 'fixedLength', bytes: 2 } });
  expect(recordsOf(result.runPath)).toBe(2);
  expect(lines).toMatchObject([{ offset: 4, bytes: 1 }]);
});

test('of a long record only the beginning is kept', async () => {
  const { lines } = await map(
    {
      map() {
        throw new Error('no');
      },
    },
    'x'.repeat(limits.badRecordBytesMax + 10),
  );
  expect(lines[0]?.bytes).toBe(limits.badRecordBytesMax + 10);
  expect(Buffer.from(lines[0]!.raw, 'base64')).toHaveLength(limits.badRecordBytesMax);
});

test('one task that is over the budget of the job says so, with the budget and the first records', async () => {
  const failure = await failureOf(throwsOnBad, 'bad\nbad\nbad\n', { budget: { kind: 'count', records: 2 } });
  expect(failure).toMatchObject({
    kind: 'bad-records',
    message: expect.stringMatching(
      /^3 bad records are over the budget of 2 \(--max-bad-records.*byte 0\).*byte 8\)$/,
    ),
  });
});

test('pairs are held as they were yielded, whatever the job does with its objects afterwards', async () => {
  const reuses: Functions = {
    *map(line) {
      const pair: [string, { text: string }] = ['k', { text: '1' }];
      yield pair;
      pair[1].text = `changed ${line}`;
    },
  };
  const { result, stores } = await map(reuses, 'a\n', { reducers: 0 });
  const { store, key } = stores.locate(result.part!.uri);
  expect((await collectBytes(store.read(key))).toString()).toBe('["k",{"text":"1"}]\n');
});

test('an error of combine is not of a record: the task fails', async () => {
  const combining: Functions = {
    *map() {
      yield ['k', 1];
    },
    // biome-ignore lint/correctness/useYield: it throws before.
    *combine() {
      throw new Error('broken');
    },
  };
  expect(await failureOf(combining, 'a\nb\n')).toMatchObject({ kind: 'user-error', where: 'combine' });
});

test('a record that yielded more than is held cannot be taken back: its task fails', async () => {
  const many: Functions = {
    *map(line) {
      for (let i = 0; i <= limits.heldPairsMax; i++) yield ['k', i];
      if (line === 'bad') throw new Error('too late');
    },
  };
  expect(await failureOf(many, 'bad\n')).toMatchObject({ kind: 'user-error', message: 'too late' });
  expect(recordsOf((await map(many, 'good\n')).result.runPath)).toBe(limits.heldPairsMax + 1);
});

test.each([
  ['100', { kind: 'count', records: 100 }],
  [7, { kind: 'count', records: 7 }],
  ['0.5%', { kind: 'rate', percent: 0.5 }],
  ['0', undefined],
  [0, undefined],
])('%s is a budget', (text, budget) => {
  expect(parseBadRecordBudget(text, '--max-bad-records')).toEqual(budget);
});

test.each(['-1', '101%', 'x', '1.5', '%', Number.NaN, true])('%s is none', (text) => {
  expect(() => parseBadRecordBudget(text, '--max-bad-records')).toThrow(
    '--max-bad-records: expected a number',
  );
});
