import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { AggregatorData } from '../../lib/aggregator.ts';
import { encodeKeyToBytes, keyTags } from '../../lib/codec/key-codec.ts';
import type { InputFormat } from '../../lib/formats.ts';
import { toJobId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import { createStores } from '../../lib/store/resolve.ts';
import type { UserJob } from '../../lib/user-job.ts';
import { makeSpec } from '../../test/core/make.ts';
import { TaskContext } from '../user/context.ts';
import { createProgress, progressAt } from '../user/progress.ts';
import { type MapTaskOptions, runMapTask } from './map-task.ts';
import { createMapOutput } from './pair-collector.ts';
import { RecordSpans, spansMax } from './record-spans.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-spans-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function newFolder(): string {
  const path = join(folder, randomUUID());
  mkdirSync(path);
  return path;
}

const aggregator = (op: AggregatorData['op']): AggregatorData => ({ kind: 'aggregator', op });

interface Mapping {
  readonly input: InputFormat;
  readonly combine?: AggregatorData | undefined;
  readonly partition?: 'hash' | 'range';
  /** Where the object is cut into pieces. */
  readonly cuts?: readonly number[];
}

/** Runs a job without a map over `bytes`; `onPair` makes it go record by record. */
async function mapAll(bytes: Buffer, mapping: Mapping, onPair?: MapTaskOptions['onPair']) {
  const { input, combine, partition = 'hash', cuts = [] } = mapping;
  const stores = createStores();
  const uri = `mem://${randomUUID()}/a`;
  const { store, key } = stores.locate(uri);
  await store.putIfAbsent(key, bytes);
  const ends = [...new Set([...cuts.filter((cut) => cut > 0 && cut < bytes.length), bytes.length])];
  ends.sort((a, b) => a - b);
  const pieces = ends.map((end, at) => ({
    uri,
    start: ends[at - 1] ?? 0,
    end,
    objectBytes: bytes.length,
    etag: '',
  }));
  const attempt = { jobId: toJobId('j'), kind: 'map', index: 0, attempt: 0, epoch: 1 } as const;
  const progress = createProgress();
  const signal = new AbortController().signal;
  const result = await runMapTask({
    spec: makeSpec('j', { input, reducers: 3, partition }),
    job: { ...(combine && { combine }) } as UserJob,
    attempt,
    split: { pieces, bytes: bytes.length, hosts: [] },
    cutPoints: ['c', 'k'].map((cut) => encodeKeyToBytes(cut)),
    context: new TaskContext({ attempt, params: {}, signal, progress, log: () => undefined }),
    progress,
    stores,
    directory: newFolder(),
    onPair,
  });
  const { runPath, ...report } = result;
  return { report, out: progress[progressAt.recordsOut], file: readFileSync(runPath!) };
}

const bytesOf = fc
  .array(
    fc.oneof(fc.constantFrom(0x61, 0x62, 0x7a, 0x20, 0x0a, 0x0d, 0xc3, 0xa9, 0xef, 0xbb, 0xbf), fc.nat(255)),
    {
      maxLength: 200,
    },
  )
  .map((units) => Buffer.from(units));
/** Mostly UTF-8, so that the bytes are taken as they are. */
const text = fc
  .string({
    unit: fc.constantFrom('a', 'bc', ' ', '\n', '\r\n', 'é', 'x'.repeat(15), 'x'.repeat(16)),
    maxLength: 60,
  })
  .map((string) => Buffer.from(string));
const inputs: InputFormat[] = [
  { kind: 'lines' },
  { kind: 'words', separators: 'punctuation' },
  { kind: 'words', separators: 'whitespace' },
];
const fixedInputs: InputFormat[] = [
  { kind: 'fixedLength', bytes: 4 },
  { kind: 'fixedLength', bytes: 20, keyBytes: 15 },
  { kind: 'fixedLength', bytes: 4, keyBytes: 0 },
];

test('records taken as bytes give the same run, byte for byte, as records taken one by one', async () => {
  const mapping = fc.record({
    bytes: fc.oneof(bytesOf, text),
    input: fc.constantFrom(...inputs, ...fixedInputs),
    combine: fc.constantFrom(undefined, aggregator('count'), aggregator('first')),
    partition: fc.constantFrom('hash' as const, 'range' as const),
    cuts: fc.array(fc.nat(120), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(mapping, async ({ bytes, cuts, ...rest }) => {
      const { input } = rest;
      const unit = input.kind === 'fixedLength' ? input.bytes : 1;
      const whole = bytes.subarray(0, bytes.length - (bytes.length % unit));
      const asked = { ...rest, cuts: cuts.map((cut) => cut * unit) };
      let pairs = 0;
      const slow = await mapAll(whole, asked, () => pairs++);
      expect(await mapAll(whole, asked)).toEqual(slow);
      expect(slow.out).toBe(pairs);
    }),
    { numRuns: 400 },
  );
});

test('a key over the limit is refused with the place of its record', async () => {
  const bytes = Buffer.from(`a\nb\n${'x'.repeat(limits.keyBytesMax)}\nc\n`);
  for (const combine of [undefined, aggregator('count')]) {
    const messages = [];
    for (const onPair of [undefined, () => undefined])
      messages.push(
        await mapAll(bytes, { input: { kind: 'lines' }, combine }, onPair).catch((error) => `${error}`),
      );
    expect(messages[0]).toContain('over the limit of 1048576');
    expect(messages[0]).toBe(messages[1]);
  }
});

class ListedSpans extends RecordSpans {
  readonly #ends: readonly number[];
  #next = 0;

  constructor(keys: readonly string[]) {
    super(Buffer.from(keys.join('')), { tag: keyTags.string, offset: 0 }, new Int32Array(2 * spansMax));
    let end = 0;
    this.#ends = [0, ...keys.map((key) => (end += Buffer.byteLength(key)))];
  }

  protected fill(bounds: Int32Array): number {
    let count = 0;
    for (; count < bounds.length && this.#next + 1 < this.#ends.length; this.#next++) {
      bounds[count++] = this.#ends[this.#next]!;
      bounds[count++] = this.#ends[this.#next + 1]!;
    }
    return count;
  }
}

describe('what is emitted as bytes', () => {
  const tiny = { sortBufferBytes: 4096, combineTableBytes: 1, mergeFanInMax: 3 };
  const create = (options: object) =>
    createMapOutput({
      directory: newFolder(),
      fileName: 'out',
      partitions: 3,
      partitioning: { kind: 'hash' },
      ...options,
    });

  test.each([
    ['keys that repeat', (at: number) => `w${at >> 2}`],
    ['keys that hardly do', (at: number) => `é ${at % 3000} ${'x'.repeat(at % 30)}`],
  ])('is the same run through any number of full tables and buffers: %s', (_what, keyOf) => {
    const keys = Array.from({ length: 9000 }, (_, at) => keyOf(at));
    for (const combine of [undefined, aggregator('count')]) {
      const files = [tiny, {}].flatMap((sizes) => {
        const spans = new ListedSpans(keys);
        const [fast, slow] = [create({ ...sizes, combine }), create({ ...sizes, combine })];
        while (spans.readOn() > 0) expect(fast.emitSpans(spans)).toBe(true);
        for (const key of keys) slow.emit(key, null);
        return [fast.finish(), slow.finish()].map((summary) => {
          expect(summary.emittedRecords).toBe(keys.length);
          return readFileSync(summary.path).toString('latin1');
        });
      });
      expect(new Set(files).size).toBe(1);
    }
  });

  test('goes as records to what has to see keys or values', () => {
    const spans = new ListedSpans(['a']);
    spans.readOn();
    for (const combine of [aggregator('sum'), aggregator('first')])
      expect(create({ combine }).emitSpans(spans)).toBe(false);
    const partitioning = { kind: 'custom', partition: () => 0 };
    expect(create({ partitioning }).emitSpans(spans)).toBe(false);
    expect(spans.at).toBe(0);
  });
});
