/** The arithmetic from input objects to splits. Pure: the same objects give the same splits, in the same order. */
import { MillraceError } from '../lib/errors.ts';
import { type InputFormat, inputCompressionOf, isSplittable } from '../lib/formats.ts';
import type { Split, SplitPiece } from '../lib/job-spec.ts';
import { checkLimit, limits } from '../lib/limits.ts';

export interface InputObject {
  readonly uri: string;
  readonly bytes: number;
  readonly etag: string;
}

export interface SplitSize {
  /** At most so many bytes per split, unless one object that cannot be cut has more. Undefined: chosen here. */
  readonly splitBytes: number | undefined;
  /** Overrides `splitBytes`: about so many splits. */
  readonly maps: number | undefined;
}

/** Keeps an assignment of many tiny objects well under the size of one message. */
const piecesPerSplitMax = 4_096;

/**
 * Cuts big objects into equal pieces and packs small ones, never reordering. Empty objects give no piece, except for
 * `wholeFile`, where each is a record. Throws `limit-exceeded` when there would be too many splits, and `malformed-record`
 * when an object does not consist of whole `fixedLength` records.
 */
export function cutSplits(objects: readonly InputObject[], format: InputFormat, size: SplitSize): Split[] {
  const splitBytes = Math.max(limits.splitBytesMin, Math.floor(wantedSplitBytes(objects, size)));
  const packer = new SplitPacker(splitBytes);
  for (const object of objects) {
    if (object.bytes === 0 && format.kind !== 'wholeFile') continue;
    const recordBytes = recordBytesOf(object, format);
    const pieces = isSplittable(format, object.uri) ? countPieces(object.bytes, recordBytes, splitBytes) : 1;
    if (pieces === 1) packer.pack(wholeObject(object));
    else packer.addCut(object, pieces, recordBytes);
  }
  return packer.finish();
}

function wantedSplitBytes(objects: readonly InputObject[], size: SplitSize): number {
  if (size.maps === undefined && size.splitBytes !== undefined) return size.splitBytes;
  const totalBytes = objects.reduce((sum, object) => sum + object.bytes, 0);
  if (size.maps === undefined) {
    // Enough tasks to share out evenly, none so small that starting it shows, and none that takes long to run again.
    const share = totalBytes / limits.splitsWanted;
    return Math.min(Math.max(share, limits.splitBytesAutoMin), limits.splitBytesAutoMax);
  }
  return Math.ceil(totalBytes / Math.max(1, size.maps));
}

/** The unit that cuts must fall on: the record for uncompressed `fixedLength`, else one byte. */
function recordBytesOf(object: InputObject, format: InputFormat): number {
  if (format.kind !== 'fixedLength' || inputCompressionOf(object.uri) !== 'none') return 1;
  if (object.bytes % format.bytes === 0) return format.bytes;
  throw new MillraceError(
    'malformed-record',
    `${object.uri} has ${object.bytes} bytes, which is not a multiple of the ${format.bytes} bytes of fixedLength(${format.bytes})`,
  );
}

function countPieces(bytes: number, recordBytes: number, splitBytes: number): number {
  const recordsPerSplit = Math.max(1, Math.floor(splitBytes / recordBytes));
  return Math.max(1, Math.ceil(bytes / recordBytes / recordsPerSplit));
}

function wholeObject(object: InputObject): SplitPiece {
  return { uri: object.uri, start: 0, end: object.bytes, objectBytes: object.bytes, etag: object.etag };
}

const noHosts: readonly string[] = [];

class SplitPacker {
  readonly #splitBytes: number;
  readonly #splits: Split[] = [];
  #pieces: SplitPiece[] = [];
  #bytes = 0;

  constructor(splitBytes: number) {
    this.#splitBytes = splitBytes;
  }

  /** Adds a whole object to the split in the making, or begins the next one with it. */
  pack(piece: SplitPiece): void {
    const bytes = piece.end - piece.start;
    const isFull = this.#bytes + bytes > this.#splitBytes || this.#pieces.length >= piecesPerSplitMax;
    if (isFull) this.#close();
    this.#pieces.push(piece);
    this.#bytes += bytes;
  }

  /** Adds `count` splits of one object, equal to within one record. */
  addCut(object: InputObject, count: number, recordBytes: number): void {
    this.#close();
    checkSplits(this.#splits.length + count);
    const { uri, etag, bytes: objectBytes } = object;
    const records = object.bytes / recordBytes;
    const shortPiece = Math.floor(records / count);
    const longPieces = records - shortPiece * count;
    for (let index = 0; index < count; index++) {
      const start = (index * shortPiece + Math.min(index, longPieces)) * recordBytes;
      const end = ((index + 1) * shortPiece + Math.min(index + 1, longPieces)) * recordBytes;
      // A literal of its own, with all fields: there may be a million, and a copy of another object takes half as much again.
      const pieces = [{ uri, start, end, objectBytes, etag }];
      this.#splits.push({ pieces, bytes: end - start, hosts: noHosts });
    }
  }

  finish(): Split[] {
    this.#close();
    return this.#splits;
  }

  #close(): void {
    if (this.#pieces.length === 0) return;
    // An array that has grown has room for more.
    this.#splits.push({ pieces: this.#pieces.slice(), bytes: this.#bytes, hosts: noHosts });
    checkSplits(this.#splits.length);
    this.#pieces = [];
    this.#bytes = 0;
  }
}

function checkSplits(count: number): void {
  checkLimit(
    'the number of map tasks',
    count,
    limits.mapTasksMax,
    'give larger splits with --split-size (or fewer --maps)',
  );
}
