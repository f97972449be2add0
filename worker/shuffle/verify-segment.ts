/**
 * The serving side of the question who broke a segment: reads it again from this disk and says what its crc32 is now, beside what its index
 * says. One at a time, in bounded pieces, so that it never takes the disk from those who fetch.
 */
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { MillraceError } from '../../lib/errors.ts';
import type { JobId } from '../../lib/ids.ts';
import { checkLimit, limits } from '../../lib/limits.ts';
import type { VerifyReply } from '../../proto/gen/millrace/v1/VerifyReply.ts';
import type { WantedSegment } from './fetch-frames.ts';
import type { MapOutputs } from './outputs.ts';

export class SegmentVerifier {
  readonly #outputs: MapOutputs;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(outputs: MapOutputs) {
    this.#outputs = outputs;
  }

  /** Throws `limit-exceeded` when too many wait already. `isGone`: nobody waits for this answer any more. */
  async verify(
    jobId: JobId,
    partition: number,
    wanted: WantedSegment,
    isGone: () => boolean,
  ): Promise<VerifyReply> {
    checkLimit(
      'the number of segments that wait to be verified',
      this.#waiting + 1,
      limits.verificationsWaitingMax,
      'ask again later',
    );
    this.#waiting++;
    const turn = this.#last.then(() => this.#read(jobId, partition, wanted, isGone));
    this.#last = turn.catch(() => undefined).finally(() => this.#waiting--);
    return turn;
  }

  async #read(
    jobId: JobId,
    partition: number,
    { map, attempt, epoch }: WantedSegment,
    isGone: () => boolean,
  ): Promise<VerifyReply> {
    const path = this.#outputs.pathOf(jobId, map, attempt, epoch);
    if (path === undefined || isGone()) return { found: false };
    try {
      const { offset, records, bytes, crc32 } = this.#outputs
        .find(jobId, map, attempt, epoch)!
        .segment(partition);
      const diskCrc32 = await crc32OfFile(path, offset, bytes, isGone);
      return { found: true, records, bytes, indexCrc32: crc32, diskCrc32 };
    } catch (error) {
      const { code, message } = MillraceError.from(error);
      if (code === 'invalid-argument') return { found: false };
      return { found: true, unreadable: withoutPath(message, path) };
    }
  }
}

/** Where a run file lies on this machine is nobody else's business. */
export function withoutPath(message: string, path: string): string {
  return message.replaceAll(`run file ${path}`, path).replaceAll(path, 'the run file');
}

async function crc32OfFile(
  path: string,
  offset: number,
  bytes: number,
  isGone: () => boolean,
): Promise<number> {
  await using file = await open(path, 'r');
  const piece = Buffer.allocUnsafeSlow(Math.min(limits.readChunkBytes, bytes));
  let crc = 0;
  for (let done = 0; done < bytes && !isGone(); ) {
    const { bytesRead } = await file.read(piece, 0, Math.min(piece.length, bytes - done), offset + done);
    if (bytesRead === 0) throw new MillraceError('corrupt', `it ends at byte ${offset + done}`);
    crc = crc32(piece.subarray(0, bytesRead), crc);
    done += bytesRead;
  }
  return crc;
}
