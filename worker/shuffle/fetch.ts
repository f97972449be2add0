/**
 * One Fetch stream: asks one worker for segments of one partition and hands over each as it is whole and right. Segments that
 * came whole before a stream broke are kept; the rest is asked for again by the caller.
 */
import { type ChannelCredentials, type ClientReadableStream, type ServiceError, status } from '@grpc/grpc-js';
import type { Clock } from '../../lib/clock.ts';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import type { JobId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import { channelName } from '../../lib/security/tls.ts';
import type { ShuffleClient } from '../../proto/gen/millrace/v1/Shuffle.ts';
import { loadShuffleService } from '../../proto/load.ts';
import { frameHeaderBytes, readFrameHeader, type WantedSegment } from './fetch-frames.ts';
import type { SegmentSource } from './segment-reader.ts';
import type { SegmentSink, SegmentStore } from './segment-store.ts';

/** Channels to other workers, apart from the control channel so that bulk data never delays a heartbeat. */
export class PeerChannels {
  readonly #clients = new Map<string, ShuffleClient>();
  readonly #Client = loadShuffleService();
  readonly #credentials: ChannelCredentials;

  constructor(credentials: ChannelCredentials) {
    this.#credentials = credentials;
  }

  get(address: string): ShuffleClient {
    let client = this.#clients.get(address);
    if (!client) {
      client = new this.#Client(address, this.#credentials, {
        ...channelName,
        'grpc-node.flow_control_window': 8 * 1024 * 1024,
        'grpc.max_receive_message_length': limits.grpcMessageBytesMax,
        'grpc.enable_http_proxy': 0,
        'grpc.use_local_subchannel_pool': 1,
        'grpc.initial_reconnect_backoff_ms': 200,
        'grpc.max_reconnect_backoff_ms': 2_000,
      });
      this.#clients.set(address, client);
    }
    return client;
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }
}

export interface FetchPlan {
  readonly client: ShuffleClient;
  readonly jobId: JobId;
  /** The coordinator's, for this job. */
  readonly ticket: string;
  readonly reduce: number;
  readonly segments: readonly WantedSegment[];
  readonly store: SegmentStore;
  readonly clock: Clock;
  /** A stream that brings nothing for so long is given up. */
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
  /** For error messages: `map m3 of worker-2`. */
  nameOf(segment: WantedSegment): string;
}

export type Fetched =
  | { readonly kind: 'held'; readonly segment: WantedSegment; readonly source: SegmentSource }
  | { readonly kind: 'missing' | 'corrupt'; readonly segment: WantedSegment; readonly detail: string };

/**
 * Yields one result per segment asked for, in order. Throws `unavailable` when the stream breaks or stalls before its end,
 * `unauthenticated` when the peer refuses to serve, and what the store throws (`no-space`): all results yielded before stay good.
 */
export async function* fetchSegments(plan: FetchPlan): AsyncGenerator<Fetched> {
  const { jobId, reduce, ticket } = plan;
  const call = plan.client.fetch({ jobId, reduce, ticket, segments: [...plan.segments] });
  const idle = new IdleTimer(plan.clock, plan.idleTimeoutMs, () => call.cancel());
  const abort = () => call.cancel();
  plan.signal.addEventListener('abort', abort, { once: true });
  const parser = new FetchParser(plan);
  try {
    failpoint('fetch.asked');
    for await (const frame of frames(call)) {
      // While a frame is taken in, for which there may be no room at first, nothing more is asked of the peer.
      idle.stop();
      failpoint('fetch.frame');
      yield* parser.take(frame);
      idle.restart();
    }
    if (!parser.ended) throw new MillraceError('unavailable', 'the fetch stream ended before its end mark');
  } catch (error) {
    const what = idle.expired
      ? `nothing came for ${plan.idleTimeoutMs} ms`
      : MillraceError.from(error).message;
    if (error instanceof MillraceError) throw error;
    const isRefused = refusals.has((error as ServiceError).code);
    throw new MillraceError(isRefused ? 'unauthenticated' : 'unavailable', what, { cause: error });
  } finally {
    idle.stop();
    plan.signal.removeEventListener('abort', abort);
    parser.abort();
    if (!parser.ended) call.cancel();
  }
}

/** The peer does not take what this worker shows. */
const refusals: ReadonlySet<number> = new Set([status.UNAUTHENTICATED, status.PERMISSION_DENIED]);

function frames(call: ClientReadableStream<unknown>): AsyncIterable<Buffer> {
  return call as AsyncIterable<Buffer>;
}

/** Turns frames into results; holds the segment whose bytes are still coming. */
class FetchParser {
  readonly #plan: FetchPlan;
  #sink: SegmentSink | undefined;
  #current: WantedSegment | undefined;
  #remaining = 0;
  #next = 0;
  ended = false;

  constructor(plan: FetchPlan) {
    this.#plan = plan;
  }

  async *take(frame: Buffer): AsyncGenerator<Fetched> {
    for (let at = 0; at < frame.length; ) {
      if (this.#sink) {
        const end = Math.min(frame.length, at + this.#remaining);
        await this.#sink.write(frame.subarray(at, end));
        this.#remaining -= end - at;
        at = end;
        if (this.#remaining === 0) yield this.#finish();
      } else {
        const result = await this.#header(frame, at);
        at += frameHeaderBytes;
        if (result) yield result;
      }
    }
  }

  abort(): void {
    this.#sink?.abort();
    this.#sink = undefined;
  }

  async #header(frame: Buffer, at: number): Promise<Fetched | undefined> {
    if (this.ended) throw new MillraceError('unavailable', 'the fetch stream goes on after its end mark');
    const entry = readFrameHeader(frame, at);
    if (entry.kind === 'end') {
      this.ended = this.#next === this.#plan.segments.length;
      return undefined;
    }
    const wanted = this.#plan.segments[this.#next++];
    if (!wanted || wanted.map !== entry.segment.map || wanted.attempt !== entry.segment.attempt) {
      throw new MillraceError(
        'unavailable',
        `the peer sent map ${entry.segment.map}, which is not what was asked for next`,
      );
    }
    if (entry.kind !== 'segment') {
      const gone = entry.kind === 'missing';
      const detail = gone ? 'the worker does not have it' : 'the worker cannot read its own file (disk)';
      return { kind: gone ? 'missing' : 'corrupt', segment: wanted, detail };
    }
    this.#current = wanted;
    this.#remaining = entry.counts.bytes;
    this.#sink = await this.#plan.store.begin(this.#plan.nameOf(wanted), entry.counts);
    return this.#remaining === 0 ? this.#finish() : undefined;
  }

  #finish(): Fetched {
    const sink = this.#sink!;
    const segment = this.#current!;
    this.#sink = undefined;
    try {
      return { kind: 'held', segment, source: sink.finish() };
    } catch (error) {
      sink.abort();
      return { kind: 'corrupt', segment, detail: MillraceError.from(error).message };
    }
  }
}

class IdleTimer {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #expire: () => void;
  #cancel: () => void;
  expired = false;

  constructor(clock: Clock, timeoutMs: number, expire: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#expire = () => {
      this.expired = true;
      expire();
    };
    this.#cancel = clock.after(timeoutMs, this.#expire);
  }

  restart(): void {
    this.#cancel();
    this.#cancel = this.#clock.after(this.#timeoutMs, this.#expire);
  }

  stop(): void {
    this.#cancel();
  }
}
