/**
 * The Shuffle service: streams the segments of one partition from this worker's disk, as fast as the reader takes them.
 * Only for who has a ticket of the coordinator for that job.
 */
import { open } from 'node:fs/promises';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import { grpcStatus } from '../../lib/grpc-status.ts';
import { toJobId, type WorkerId } from '../../lib/ids.ts';
import { checkLimit, limits } from '../../lib/limits.ts';
import { diagnoseJobId, type TicketKeys } from '../../lib/security/ticket.ts';
import type { FetchRequest__Output } from '../../proto/gen/millrace/v1/FetchRequest.ts';
import type { ShuffleHandlers } from '../../proto/gen/millrace/v1/Shuffle.ts';
import { type FrameEntry, frameHeaderBytes, type WantedSegment, writeFrameHeader } from './fetch-frames.ts';
import type { MapOutputs } from './outputs.ts';
import type { RunSegment } from './run-file.ts';

type FetchCall = ServerWritableStream<FetchRequest__Output, unknown>;

const frameBytes = Math.min(256 * 1024, limits.fetchFrameBytesMax);

/** `workerId` is asked at each ping: a worker that joins again has a new one. */
export function createShuffleHandlers(
  outputs: MapOutputs,
  ticketKeys: TicketKeys,
  workerId: () => WorkerId,
): ShuffleHandlers {
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
  };
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
  for (const segment of call.request.segments) {
    if (frames.gone) return;
    const found = findSegment(outputs, jobId, call.request.reduce, segment);
    if (typeof found === 'string') await frames.header({ kind: found, segment });
    else await sendSegment(frames, segment, found);
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
    // What is on disk but torn is the coordinator's business: it hears of it from the reader.
    if (MillraceError.from(error).code === 'corrupt') return 'unreadable';
    return 'missing';
  }
}

/** A file that breaks off in the middle ends the stream: the reader sees a short stream and asks again. */
async function sendSegment(frames: FrameWriter, wanted: WantedSegment, found: Found): Promise<void> {
  const { offset, bytes, records, crc32 } = found.segment;
  await frames.header({ kind: 'segment', segment: wanted, counts: { records, bytes, crc32 } });
  if (bytes === 0) return;
  await using file = await open(found.path, 'r');
  for (let sent = 0; sent < bytes && !frames.gone; ) {
    const room = frames.room();
    const { bytesRead } = await file.read(room, 0, Math.min(room.length, bytes - sent), offset + sent);
    if (bytesRead === 0) throw new MillraceError('corrupt', `${found.path} ends before its index says`);
    sent += bytesRead;
    await frames.advance(bytesRead);
  }
}

/** Fills frames and hands them to the stream; waits when the reader is slow, and never for one that is gone. */
class FrameWriter {
  readonly #call: FetchCall;
  #frame = Buffer.allocUnsafeSlow(frameBytes);
  #at = 0;
  gone = false;
  #wake: (() => void) | undefined;

  constructor(call: FetchCall) {
    this.#call = call;
    const leave = () => {
      this.gone = true;
      this.#wake?.();
    };
    // After a cancel 'drain' never comes, so waiting for it races with these.
    call.on('cancelled', leave);
    call.on('close', leave);
    call.on('error', leave);
    call.on('drain', () => this.#wake?.());
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
    const frame = this.#frame.subarray(0, this.#at);
    // The stream keeps the frame until it is sent, so the next one needs memory of its own.
    this.#frame = Buffer.allocUnsafeSlow(frameBytes);
    this.#at = 0;
    const mayGoOn = this.#call.write(frame);
    failpoint('serve.frame');
    if (mayGoOn || this.gone) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
