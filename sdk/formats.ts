/** Input and output formats as users write them. One name serves both sides where both make sense. */
import type { InputFormat, OutputCompression, OutputFormat } from '../lib/formats.ts';
import { jobFileError } from './job-file-error.ts';
import type { Input, Output } from './job-types.ts';

export interface OutputOptions {
  /** The extension of the parts says it: `.gz`, `.zst`. */
  readonly compression?: Exclude<OutputCompression, 'none'>;
}

export interface CsvOptions {
  /** true (default): records are objects by the names in the first line. false: arrays of strings. */
  readonly header?: boolean;
  /** One character; default `,`. */
  readonly delimiter?: string;
  /** Default true: fields may contain newlines, so that a file cannot be split. false: one record per line, big files are split. */
  readonly quotedNewlines?: boolean;
}

/** In: each line as a string, without its line end. Out: each record as one line. */
export function lines(): Input<string> & Output;
export function lines(options: OutputOptions): Output;
export function lines(options?: OutputOptions): Output {
  return bothSides('lines', { kind: 'lines' }, options);
}

/** In: each line parsed as JSON, taken to be a T (not checked). Out: each record as one line of JSON. */
export function jsonl<T = unknown>(): Input<T> & Output;
export function jsonl(options: OutputOptions): Output;
export function jsonl(options?: OutputOptions): Output {
  return bothSides('jsonl', { kind: 'jsonl' }, options);
}

/** In: every `bytes` bytes as a Uint8Array. Out: records of exactly `bytes` bytes, nothing between them. */
export function fixedLength(bytes: number): Input<Uint8Array> & Output;
export function fixedLength(bytes: number, options: OutputOptions): Output;
export function fixedLength(bytes: number, options?: OutputOptions): Output {
  if (!Number.isSafeInteger(bytes) || bytes < 1)
    throw jobFileError(`fixedLength(bytes): expected a whole number of bytes from 1, got ${String(bytes)}`);
  return bothSides('fixedLength', { kind: 'fixedLength', bytes }, options);
}

/** Records are objects by header, or arrays of strings with `header: false`. */
export function csv(options?: CsvOptions & { readonly header?: true }): Input<Record<string, string>>;
export function csv(options: CsvOptions & { readonly header: false }): Input<string[]>;
export function csv(options: CsvOptions = {}): Input<Record<string, string> | string[]> {
  const { header = true, delimiter = ',', quotedNewlines = true } = options;
  if (typeof delimiter !== 'string' || delimiter.length !== 1 || /["\r\n]/.test(delimiter))
    throw jobFileError(
      `csv({ delimiter }): expected one character that is no quote or line end, got ${JSON.stringify(delimiter)}`,
    );
  return Object.freeze<Input<Record<string, string> | string[]>>({
    input: { kind: 'csv', header, delimiter, quotedNewlines },
  });
}

/** Each file is one record: its text. */
export function wholeFile(): Input<string> {
  return Object.freeze<Input<string>>({ input: { kind: 'wholeFile' } });
}

/** Out: `key\tvalue\n`. */
export function tsv(options?: OutputOptions): Output {
  return Object.freeze<Output>({ output: { kind: 'tsv', compression: compressionOf('tsv', options) } });
}

type SharedFormat = Extract<InputFormat, { kind: 'lines' | 'jsonl' | 'fixedLength' }>;

/** Options are about output: given some, the value is no input format any more. */
function bothSides(name: string, format: SharedFormat, options: OutputOptions | undefined): Output {
  const output: OutputFormat = { ...format, compression: compressionOf(name, options) };
  return Object.freeze(options === undefined ? { input: format, output } : { output });
}

function compressionOf(name: string, options: OutputOptions | undefined): OutputCompression {
  const compression = options?.compression ?? 'none';
  if (compression === 'none' || compression === 'gzip' || compression === 'zstd') return compression;
  throw jobFileError(
    `${name}({ compression }): expected 'gzip' or 'zstd', got ${JSON.stringify(compression)}`,
  );
}
