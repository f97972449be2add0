/** The output of a job on stdout: the bytes of its format, or each record as a line of JSON. */
import { decompress } from '../lib/decompress.ts';
import type { OutputFormat } from '../lib/formats.ts';
import { createStores } from '../lib/store/resolve.ts';
import { readCommitted, readOutput, readPart } from '../sdk/read-output.ts';
import { writeData } from './output.ts';

export interface WriteOptions {
  readonly json?: boolean | undefined;
  /** At most so many records. */
  readonly head?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const batchChars = 64 * 1024;

/** All parts in order, decompressed. Stops early, without an error, when nobody reads any more. */
export async function writeRecords(outputUri: string, options: WriteOptions): Promise<void> {
  if (options.head === 0) return;
  const chunks = options.json ? jsonLines(outputUri, options) : plainBytes(outputUri, options);
  for await (const chunk of chunks) {
    if (!(await writeData(chunk))) return;
  }
}

async function* plainBytes(outputUri: string, options: WriteOptions): AsyncGenerator<Uint8Array, void, void> {
  const stores = createStores();
  const { output, parts } = await readCommitted(stores, outputUri);
  let left = options.head ?? Number.POSITIVE_INFINITY;
  for (const part of parts) {
    const stored = readPart(stores, outputUri, part, options.signal);
    let partial = 0;
    for await (const bytes of decompress(stored, output.compression, part.key)) {
      const cut = cutRecords(bytes, output, left, partial);
      yield cut.end === bytes.length ? bytes : bytes.subarray(0, cut.end);
      left -= cut.records;
      partial = cut.partial;
      if (left <= 0) return;
    }
  }
}

/** Where in `bytes` the first `records` records end, or all of them; `partial` bytes of a record went before. */
export function cutRecords(
  bytes: Uint8Array,
  output: OutputFormat,
  recordsMax: number,
  partial: number,
): { readonly end: number; readonly records: number; readonly partial: number } {
  if (output.kind === 'fixedLength') {
    const whole = Math.floor((partial + bytes.length) / output.bytes);
    if (whole < recordsMax) {
      return { end: bytes.length, records: whole, partial: (partial + bytes.length) % output.bytes };
    }
    return { end: recordsMax * output.bytes - partial, records: recordsMax, partial: 0 };
  }
  if (recordsMax === Number.POSITIVE_INFINITY) return { end: bytes.length, records: 0, partial: 0 };
  let records = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (++records === recordsMax) return { end: at + 1, records, partial: 0 };
  }
  return { end: bytes.length, records, partial: 0 };
}

async function* jsonLines(outputUri: string, options: WriteOptions): AsyncGenerator<string, void, void> {
  let left = options.head ?? Number.POSITIVE_INFINITY;
  let batch = '';
  for await (const record of readOutput(createStores(), outputUri, options.signal)) {
    batch += `${recordToJson(record)}\n`;
    if (--left <= 0) break;
    if (batch.length < batchChars) continue;
    yield batch;
    batch = '';
  }
  if (batch !== '') yield batch;
}

/** What JSON does not have: bigint as decimal text, bytes as base64. */
export function recordToJson(record: unknown): string {
  // `this` holds the value as it is; the argument has been through toJSON, which a Buffer has.
  return JSON.stringify(record, function (this: Record<string, unknown>, key, value: unknown) {
    if (typeof value === 'bigint') return value.toString();
    const own = this[key];
    return own instanceof Uint8Array ? Buffer.from(own).toString('base64') : value;
  });
}
