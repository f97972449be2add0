/** Input and output formats as plain data: they travel in the job spec, and both the coordinator and the workers read them. */

import type { WordSeparators } from './word-bytes.ts';

export type InputFormat =
  | { readonly kind: 'lines' }
  | { readonly kind: 'words'; readonly separators: WordSeparators }
  | { readonly kind: 'jsonl' }
  /**
   * `header`: records are objects keyed by the first line; otherwise arrays of strings. With `quotedNewlines` (the default) a
   * file cannot be cut, because only a reader from its start knows whether a newline is inside quotes.
   */
  | {
      readonly kind: 'csv';
      readonly header: boolean;
      readonly delimiter: string;
      readonly quotedNewlines: boolean;
    }
  | { readonly kind: 'wholeFile' }
  /** With `keyBytes` a record is the pair of its first so many bytes and the rest. */
  | { readonly kind: 'fixedLength'; readonly bytes: number; readonly keyBytes?: number };

export type OutputCompression = 'none' | 'gzip' | 'zstd';

export type OutputFormat = (
  | { readonly kind: 'tsv' }
  | { readonly kind: 'jsonl' }
  | { readonly kind: 'lines' }
  | { readonly kind: 'fixedLength'; readonly bytes: number }
) & { readonly compression: OutputCompression };

export type InputCompression = 'none' | 'gzip' | 'zstd';

/** By extension: `.gz` and `.zst` are decompressed while reading and cannot be cut. */
export function inputCompressionOf(uri: string): InputCompression {
  if (uri.endsWith('.gz')) return 'gzip';
  if (uri.endsWith('.zst')) return 'zstd';
  return 'none';
}

/** Whether an object of this format may be cut at any byte, its readers finding the record bounds by themselves. */
export function isSplittable(format: InputFormat, uri: string): boolean {
  if (inputCompressionOf(uri) !== 'none') return false;
  if (format.kind === 'wholeFile') return false;
  return format.kind !== 'csv' || !format.quotedNewlines;
}

/** The name of an output object: `part-r-00003`, or `part-m-00003` for a map-only job. */
export function partName(kind: 'map' | 'reduce', index: number): string {
  return `part-${kind === 'map' ? 'm' : 'r'}-${String(index).padStart(5, '0')}`;
}

/** What a map skipped, beside the parts and hidden from globs: `_bad/part-m-00003.jsonl`. */
export function badPartName(index: number): string {
  return `_bad/${partName('map', index)}.jsonl`;
}

export const successName = '_SUCCESS';
