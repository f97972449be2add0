/**
 * The Shuffle service: streams the segments of one partition from this worker's disk, as fast as the reader takes them.
 * Only for who has a ticket of the coordinator for that job.
 */
import { open } from 'node:fs/promises';
import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import { grpcStatus } from '../../lib/grpc-status.ts';
import { toJobId, type WorkerId } from '../../lib/ids.ts';
import { checkLimit, limits } from '../../lib/limits.ts';
import { diagnoseJobId, type TicketKeys } from '../../lib/security/ticket.ts';
import type { FetchRequest__Output } from '../../proto/gen/millrace/v1/FetchRequest.ts';
import type { ShuffleHandlers } from '../../proto/gen/millrace/v1/Shuffle.ts';
import type { VerifyReply } from '../../proto/gen/millrace/v1/VerifyReply.ts';
import type { VerifyRequest__Output } from '../../proto/gen/millrace/v1/VerifyRequest.ts';
import { type FrameEntry, frameHeaderBytes, type WantedSegment, writeFrameHeader } from './fetch-frames.ts';
import type { MapOutputs } from './outputs.ts';
import type { RunSegment } from './run-file.ts';
import { SegmentVerifier, withoutPath } from './verify-segment.ts';

type FetchCall = ServerWritableStream<FetchRequest__Output, unknown>;

const frameBytes = Math.min(256 * 1024, limits.fetchFrameBytesMax);
/** One is filled while others are on their way to the socket. */
const framesPerStream = 4;

/** `workerId` is asked at each ping: a worker that joins again has a new one. */
export function createShuffleHandlers(
  outputs: MapOutputs,
  ticketKeys: TicketKeys,
  workerId: () => WorkerId,
): ShuffleHandlers {
  const verifier = new SegmentVerifier(outputs);
  return {
    Fetch(call) {
      serveFetch(call as FetchCall, outputs, ticketKeys).catch((error: unknown) => {
        call.emit('error', grpcStatus(MillraceError.from(error)));
      });
    },
    Ping(call, reply) {
      try {
        ticketKeys.check(call.request.ticket, diagnoseJobId);
        reply(null, { worker: workerId() });
      } catch (error) {
        reply(grpcStatus(MillraceError.from(error)));
      }
    },
    Verify(call, reply) {
      serveVerify(call, verifier, ticketKeys).then(
        (verified) => reply(null, verified),
        (error: unknown) => reply(grpcStatus(MillraceError.from(error))),
      );
    },
  };
}

async function serveVerify(
  call: ServerUnaryCall<VerifyRequest__Output, VerifyReply>,
  verifier: SegmentVerifier,
  ticketKeys: TicketKeys,
): Promise<VerifyReply> {
  const { reduce, segment, ticket } = call.request;
  const jobId = toJobId(call.request.jobId);
  ticketKeys.check(ticket, jobId);
  if (!segment) throw new MillraceError('invalid-argument', 'no segment is named');
  return verifier.verify(jobId, reduce, segment, () => call.cancelled);
}

async function serveFetch(call: FetchCall, outputs: MapOutputs, ticketKeys: TicketKeys): Promise<void> {
  const jobId = toJobId(call.request.jobId);
  ticketKeys.check(call.request.ticket, jobId);
  checkLimit(
    'the number of segments of one fetch',
    call.request.segments.length,
    limits.fetchSegmentsMax,
    'ask again for the rest',
  );
  const frames = new FrameWriter(call);
  failpoint('serve.request');
  try {
    for (const segment of call.request.segments) {
      if (frames.gone) return;
      const found = findSegment(outputs, jobId, call.request.reduce, segment);
      if (typeof found === 'string') await frames.header({ kind: found, segment });
      else await sendSegment(frames, segment, found);
    }
  } catch (error) {
    // All that is whole goes first: the reader takes the first segment that it did not get for the broken one.
    await frames.flush();
    throw error;
  }
  failpoint('serve.end');
  await frames.header({ kind: 'end' });
  await frames.flush();
  call.end();
}

interface Found {
  readonly path: string;
  readonly segment: RunSegment;
}

function findSegment(
  outputs: MapOutputs,
  jobId: ReturnType<typeof toJobId>,
  partition: number,
  wanted: WantedSegment,
): Found | 'missing' | 'unreadable' {
  try {
    const run = outputs.find(jobId, wanted.map, wanted.attempt, wanted.epoch);
    return run ? { path: run.path, segment: run.segment(partition) } : 'missing';
  } catch (error) {
    const { code } = MillraceError.from(error);
    // What is on disk but torn is the coordinator's business: it hears of it from the reader.
    return code === 'not-found' || code === 'invalid-argument' ? 'missing' : 'unreadable';
  }
}

/** A file that breaks off or cannot be read ends the stream with `corrupt`: the reader then asks what is wrong with it. */
async function sendSegment(frames: FrameWriter, wanted: WantedSegment, found: Found): Promise<void> {
  const { offset, bytes, records, crc32 } = found.segment;
  await frames.header({ kind: 'segment', segment: wanted, counts: { records, bytes, crc32 } });
  if (bytes === 0) return;
  await using file = await readable(open(found.path, 'r'), found.path);
  for (let sent = 0; sent < bytes && !frames.gone; ) {
    const room = frames.room();
    const wantedBytes = Math.min(room.length, bytes - sent);
    const { bytesRead } = await readable(file.read(room, 0, wantedBytes, offset + sent), found.path);
    if (bytesRead === 0) throw new MillraceError('corrupt', 'the run file ends before its index says');
    sent += bytesRead;
    await frames.advance(bytesRead);
  }
}

async function readable<T>(work: Promise<T>, path: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const message = withoutPath(MillraceError.from(error).message, path);
    throw new MillraceError('corrupt', `the run file cannot be read: ${message}`, { cause: error });
  }
}

/**
 * Fills frames and hands them to the stream; waits when the reader is slow, and never for one that is gone. A few frames take turns: one is
 * filled again when its bytes are with the socket, so a stream holds little memory however slow its reader, and makes no garbage.
 */
class FrameWriter {
  readonly #call: FetchCall;
  readonly #free: Buffer[] = [];
  #made = 0;
  #frame: Buffer;
  #at = 0;
  gone = false;
  #wake: (() => void) | undefined;

  constructor(call: FetchCall) {
    this.#call = call;
    this.#frame = this.#make();
    const leave = () => {
      this.gone = true;
      this.#wake?.();
    };
    // After a cancel no write is ever called back, so waiting for that races with these.
    call.on('cancelled', leave);
    call.on('close', leave);
    call.on('error', leave);
  }

  async header(entry: FrameEntry): Promise<void> {
    if (this.#frame.length - this.#at < frameHeaderBytes) await this.flush();
    this.#at = writeFrameHeader(this.#frame, this.#at, entry);
  }

  /** The free rest of the current frame, never empty. */
  room(): Buffer {
    return this.#frame.subarray(this.#at);
  }

  /** `bytes` of the room have been filled. */
  async advance(bytes: number): Promise<void> {
    this.#at += bytes;
    if (this.#at === this.#frame.length) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#at === 0 || this.gone) return;
    const frame = this.#frame;
    this.#call.write(frame.subarray(0, this.#at), () => {
      this.#free.push(frame);
      this.#wake?.();
    });
    failpoint('serve.frame');
    this.#at = 0;
    while (this.#free.length === 0 && this.#made === framesPerStream && !this.gone) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    // One that is gone wants no more; what is still written to this frame goes nowhere.
    if (!this.gone) this.#frame = this.#free.pop() ?? this.#make();
  }

  #make(): Buffer {
    this.#made++;
    return Buffer.allocUnsafeSlow(frameBytes);
  }
}
