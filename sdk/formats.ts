/** Input and output formats as users write them. One name serves both sides where both make sense. */
import type { InputFormat, OutputCompression, OutputFormat } from '../lib/formats.ts';
import type { WordSeparators } from '../lib/word-bytes.ts';
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

export interface WordsOptions {
  /**
   * `'punctuation'` (default): a word is a run of ASCII letters, digits and anything beyond ASCII, so that words of all languages stay
   * whole. `'whitespace'`: a run of anything but space, tab and line ends.
   */
  readonly separatedBy?: WordSeparators;
}

export interface KeyOptions {
  /** So many bytes at the beginning of each record are its key. */
  readonly key: number;
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

/** In: the words of a text as strings, in order; what is between them is left out. A byte order mark at the start is, too. */
export function words(options: WordsOptions = {}): Input<string> {
  const { separatedBy = 'punctuation' } = options;
  if (separatedBy !== 'punctuation' && separatedBy !== 'whitespace')
    throw jobFileError(
      `words({ separatedBy }): expected 'punctuation' or 'whitespace', got ${JSON.stringify(separatedBy)}`,
    );
  return Object.freeze<Input<string>>({ input: { kind: 'words', separators: separatedBy } });
}

/**
 * In: every `bytes` bytes as a Uint8Array, or with `key` as a pair: the first `key` bytes, and the rest. Out: records of exactly
 * `bytes` bytes, or pairs that are so many together; nothing between them.
 */
export function fixedLength(bytes: number): Input<Uint8Array> & Output;
export function fixedLength(bytes: number, options: KeyOptions): Input<readonly [Uint8Array, Uint8Array]>;
export function fixedLength(bytes: number, options: OutputOptions): Output;
export function fixedLength(bytes: number, options?: KeyOptions | OutputOptions): object {
  if (!Number.isSafeInteger(bytes) || bytes < 1)
    throw jobFileError(`fixedLength(bytes): expected a whole number of bytes from 1, got ${String(bytes)}`);
  if (options === undefined || !('key' in options))
    return bothSides('fixedLength', { kind: 'fixedLength', bytes }, options);
  const { key } = options;
  if (!Number.isSafeInteger(key) || key < 0 || key > bytes)
    throw jobFileError(
      `fixedLength(${bytes}, { key }): expected a whole number of bytes from 0 to ${bytes}, got ${String(key)}`,
    );
  return Object.freeze({ input: { kind: 'fixedLength', bytes, keyBytes: key } satisfies InputFormat });
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
