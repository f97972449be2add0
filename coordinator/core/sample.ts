/** Range partition: which bytes are sampled, and where the sampled keys are cut. */
import { type InputFormat, isSplittable } from '../../lib/formats.ts';
import type { Split, SplitPiece } from '../../lib/job-spec.ts';
import type { CoreConfig } from './state.ts';

/** At most `sampleSplitsMax` splits, spread evenly over the list; of each a few short ranges, where its format may be cut. */
export function chooseSamples(splits: readonly Split[], input: InputFormat, config: CoreConfig): Split[] {
  const count = Math.min(config.sampleSplitsMax, splits.length);
  return Array.from({ length: count }, (_, at) => {
    const split = splits[Math.floor((at * splits.length) / count)]!;
    return sampleOf(split, input, config);
  });
}

function sampleOf(split: Split, input: InputFormat, config: CoreConfig): Split {
  const { sampleRangeBytes, sampleRangesPerSplit } = config;
  const bytesMax = sampleRangeBytes * sampleRangesPerSplit;
  if (split.bytes <= bytesMax || !split.pieces.every((piece) => isSplittable(input, piece.uri))) return split;
  const pieces: SplitPiece[] = [];
  for (let at = 0; at < sampleRangesPerSplit; at++) {
    const offset = Math.floor(
      (at * (split.bytes - sampleRangeBytes)) / Math.max(1, sampleRangesPerSplit - 1),
    );
    const piece = rangeAt(split, offset, sampleRangeBytes, input);
    if (piece) pieces.push(piece);
  }
  const bytes = pieces.reduce((sum, piece) => sum + piece.end - piece.start, 0);
  return { pieces, bytes, hosts: split.hosts };
}

/**
 * About `bytes` of the piece that holds the split's byte number `offset`, from there; less at the piece's end. Where readers do not
 * find the record bounds by themselves, the range keeps to them.
 */
function rangeAt(split: Split, offset: number, bytes: number, input: InputFormat): SplitPiece | undefined {
  const unit = input.kind === 'fixedLength' ? input.bytes : 1;
  let before = 0;
  for (const piece of split.pieces) {
    const length = piece.end - piece.start;
    if (offset < before + length) {
      const start = piece.start + Math.floor((offset - before) / unit) * unit;
      return { ...piece, start, end: Math.min(piece.end, start + Math.ceil(bytes / unit) * unit) };
    }
    before += length;
  }
  return undefined;
}

/** R - 1 quantiles of the keys at most, ascending, each once: fewer when few keys are common. */
export function chooseCutPoints(keys: readonly Uint8Array[], reducers: number): Uint8Array[] {
  const sorted = [...keys].sort(compareBytes);
  const cuts: Uint8Array[] = [];
  for (let at = 1; at < reducers && sorted.length > 0; at++) {
    const key = sorted[Math.floor((at * sorted.length) / reducers)]!;
    const last = cuts.at(-1);
    if (!last || compareBytes(last, key) < 0) cuts.push(key);
  }
  return cuts;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = a[at]! - b[at]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
