/**
 * Who broke a segment that came out wrong. There are three checksums: what the map wrote, which the coordinator told; what lies on the disk of
 * the serving worker now, which it is asked for here; and what came. The first two alike: it was damaged on the way.
 */
import { type ClientUnaryCall, type ServiceError, status } from '@grpc/grpc-js';
import type { Clock } from '../../lib/clock.ts';
import type { JobId } from '../../lib/ids.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import { formatCrc32 } from '../../lib/segment-digest.ts';
import type { ShuffleClient } from '../../proto/gen/millrace/v1/Shuffle.ts';
import type { VerifyReply__Output } from '../../proto/gen/millrace/v1/VerifyReply.ts';
import type { WantedSegment } from './fetch-frames.ts';

export interface BrokenSegment {
  readonly client: ShuffleClient;
  readonly jobId: JobId;
  readonly ticket: string;
  readonly reduce: number;
  readonly segment: WantedSegment;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether these are the counts that the map reported. */
  isReported(counts: SegmentCounts): boolean;
}

/** `busy`: the worker has too much to verify already. `unknown`: it did not answer. `detail` goes on after the names of worker and map. */
export interface Verdict {
  readonly culprit: 'disk' | 'transit' | 'missing' | 'busy' | 'unknown';
  readonly detail: string;
}

/** Never throws. */
export async function askWhoBroke(broken: BrokenSegment): Promise<Verdict> {
  try {
    return judge(await verify(broken), broken);
  } catch (error) {
    const { code, message } = error as ServiceError;
    return { culprit: code === status.RESOURCE_EXHAUSTED ? 'busy' : 'unknown', detail: message };
  }
}

function judge(reply: VerifyReply__Output, { isReported }: BrokenSegment): Verdict {
  const { found, unreadable, records, bytes, indexCrc32, diskCrc32 } = reply;
  if (!found) return { culprit: 'missing', detail: 'the worker does not have it' };
  if (unreadable !== '') return { culprit: 'disk', detail: `it cannot be read: ${unreadable}` };
  if (!isReported({ records, bytes, crc32: indexCrc32 })) {
    return { culprit: 'disk', detail: 'its index is not what the map reported' };
  }
  if (diskCrc32 === indexCrc32)
    return { culprit: 'transit', detail: `crc32 ${formatCrc32(diskCrc32)} lies there` };
  return {
    culprit: 'disk',
    detail: `it has crc32 ${formatCrc32(diskCrc32)}, the map wrote ${formatCrc32(indexCrc32)}`,
  };
}

function verify(broken: BrokenSegment): Promise<VerifyReply__Output> {
  const { client, jobId, ticket, reduce, segment, clock, signal } = broken;
  return new Promise((resolve, reject) => {
    const call: ClientUnaryCall = client.verify({ jobId, ticket, reduce, segment }, (error, reply) => {
      stopClock();
      signal.removeEventListener('abort', cancel);
      if (error || !reply) reject(error ?? new Error('no answer'));
      else resolve(reply);
    });
    const cancel = () => call.cancel();
    const stopClock = clock.after(limits.verificationMsMax, cancel);
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
  });
}
