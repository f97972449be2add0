/**
 * One Fetch stream: asks one worker for segments of one partition and hands over each as it is whole and right. Segments that
 * came whole before a stream broke are kept; the rest is asked for again by the caller.
 */
import { type ChannelCredentials, type ClientReadableStream, type ServiceError, status } from '@grpc/grpc-js';
import type { Clock } from '../../lib/clock.ts';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import type { JobId } from '../../lib/ids.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import { channelName } from '../../lib/security/tls.ts';
import type { ShuffleClient } from '../../proto/gen/millrace/v1/Shuffle.ts';
import { loadShuffleService } from '../../proto/load.ts';
import { type FrameEntry, frameHeaderBytes, readFrameHeader, type WantedSegment } from './fetch-frames.ts';
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
  /** Whether these are the counts that its map reported. */
  isReported(segment: WantedSegment, counts: SegmentCounts): boolean;
}

/** `broken`: what came is not what the map made, or the peer cannot read it. */
export type Fetched =
  | { readonly kind: 'held'; readonly segment: WantedSegment; readonly source: SegmentSource }
  | { readonly kind: 'missing' | 'broken'; readonly segment: WantedSegment; readonly detail: string };

/**
 * Yields one result per segment asked for, in order; after a `broken` one of which no byte can be trusted, not even how many there are, nothing
 * more: the rest is to be asked for again. Throws `unavailable` when the stream breaks or stalls before its end,
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
      if (parser.isLost) return;
      idle.restart();
    }
    if (!parser.ended) throw new MillraceError('unavailable', 'the fetch stream ended before its end mark');
  } catch (error) {
    const unread = (error as ServiceError).code === status.DATA_LOSS ? parser.current : undefined;
    if (unread) return yield { kind: 'broken', segment: unread, detail: (error as ServiceError).details };
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
  #remaining = 0;
  /** Of the segments asked for: the one that comes, or comes next. */
  #at = 0;
  ended = false;
  /** Where the next header would be is not known. */
  isLost = false;

  constructor(plan: FetchPlan) {
    this.#plan = plan;
  }

  get current(): WantedSegment | undefined {
    return this.#plan.segments[this.#at];
  }

  async *take(frame: Buffer): AsyncGenerator<Fetched> {
    for (let at = 0; at < frame.length && !this.isLost; ) {
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
    const entry = readHeader(frame, at);
    if (entry?.kind === 'end') {
      this.ended = this.current === undefined;
      return undefined;
    }
    const wanted = this.#expect(entry);
    if (!entry) return this.#lose(wanted, 'came with a header that makes no sense');
    if (entry.kind === 'missing')
      return this.#end({ kind: 'missing', detail: 'the worker does not have it' });
    if (entry.kind === 'unreadable')
      return this.#end({ kind: 'broken', detail: 'the worker cannot read its own file' });
    // Before anything is done with what it says: how many bytes follow, for one.
    if (!this.#plan.isReported(wanted, entry.counts)) {
      return this.#lose(wanted, 'came with counts that are not those that the map reported');
    }
    this.#remaining = entry.counts.bytes;
    this.#sink = await this.#plan.store.begin(this.#plan.nameOf(wanted), entry.counts);
    return this.#remaining === 0 ? this.#finish() : undefined;
  }

  #expect(entry: Exclude<FrameEntry, { kind: 'end' }> | undefined): WantedSegment {
    const wanted = this.current;
    if (!wanted) throw new MillraceError('unavailable', 'the peer sent more than was asked for');
    if (!entry) return wanted;
    const { map, attempt } = entry.segment;
    if (wanted.map === map && wanted.attempt === attempt) return wanted;
    const message = `the peer sent map ${map}, which is not what was asked for next`;
    throw new MillraceError('unavailable', message);
  }

  #lose(wanted: WantedSegment, how: string): Fetched {
    this.isLost = true;
    return this.#end({ kind: 'broken', detail: `${this.#plan.nameOf(wanted)} ${how}` });
  }

  #finish(): Fetched {
    const sink = this.#sink!;
    this.#sink = undefined;
    try {
      return this.#end({ kind: 'held', source: sink.finish() });
    } catch (error) {
      sink.abort();
      return this.#end({ kind: 'broken', detail: MillraceError.from(error).message });
    }
  }

  /** Of the current segment; the next one is then. */
  #end(result: FetchedOne): Fetched {
    return { ...result, segment: this.#plan.segments[this.#at++]! };
  }
}

type WithoutSegment<T> = T extends unknown ? Omit<T, 'segment'> : never;
type FetchedOne = WithoutSegment<Fetched>;

/** Undefined for bytes that are none. */
function readHeader(frame: Buffer, at: number): FrameEntry | undefined {
  try {
    return readFrameHeader(frame, at);
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'corrupt') return undefined;
    throw error;
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
