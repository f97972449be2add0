/** What workers may do: obey nobody who led before (I18), and serve exactly what is on their books, as it was made (I15, I16). */
import { type AttemptId, attemptKey, toJobId } from '../../lib/ids.ts';
import type { SegmentCounts } from '../../lib/job-spec.ts';
import type { FetchRequest } from '../../proto/gen/millrace/v1/FetchRequest.ts';
import type { SessionHandlers } from '../../worker/control/session.ts';
import { type FrameEntry, frameHeaderBytes, readFrameHeader } from '../../worker/shuffle/fetch-frames.ts';
import type { TaskEnd } from '../../worker/user/run-task.ts';
import type { SlotTask } from '../../worker/user/slot-messages.ts';
import type { SimNode } from './schedule.ts';
import type { World } from './world.ts';

/** What a session may be told to do. The rest is asked for, and changes nothing. */
const orders: ReadonlySet<keyof SessionHandlers> = new Set([
  'onWelcome',
  'onJob',
  'onTicket',
  'onAssignment',
  'onCancel',
  'onLocations',
  'onAnswer',
  'onJobEnded',
  'onRejoin',
]);

export class WorkerChecker {
  readonly #world: World;
  /** The highest epoch that each process has obeyed. */
  readonly #obeyed = new WeakMap<SimNode, number>();
  #tellingEpoch = 0;
  /** By attemptKey: what each map attempt made for each partition. */
  readonly #made = new Map<string, readonly SegmentCounts[]>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A coordinator of that epoch is heard in `act`. */
  telling(epoch: number, act: () => void): void {
    this.#tellingEpoch = epoch;
    act();
    this.#tellingEpoch = 0;
  }

  obeys(node: SimNode, handlers: SessionHandlers): SessionHandlers {
    return new Proxy(handlers, {
      get: (target, name: keyof SessionHandlers) => {
        const method = target[name] as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => {
          if (orders.has(name)) this.#obey(node, name);
          if (orders.has(name)) this.#world.count(`worker: ${name}`);
          return method.apply(target, args);
        };
      },
    });
  }

  #obey(node: SimNode, what: string): void {
    const epoch = this.#tellingEpoch;
    // Said before a welcome, by one that took the hello: and none takes that of a worker which has obeyed a later one.
    if (epoch === 0 && what === 'onRejoin') return;
    const before = this.#obeyed.get(node) ?? 0;
    if (epoch < before)
      this.#world.checker.fail(`${node.name} takes ${what} of epoch ${epoch} after epoch ${before} (I18)`);
    this.#obeyed.set(node, Math.max(before, epoch));
  }

  ran({ attempt }: SlotTask, { end }: TaskEnd): void {
    const how = end.kind === 'failed' ? end.failure.kind : 'done';
    this.#world.count(`worker: ${attempt.kind} ${how}`);
    if (end.kind === 'done' && end.result.kind === 'map')
      this.#made.set(attemptKey(attempt), end.result.segments);
  }

  serves(worker: string, request: FetchRequest): ServedFrames {
    const jobId = toJobId(request.jobId!);
    const books = () => this.#world.workers.get(worker)?.outputs.list() ?? [];
    return new ServedFrames(books, (entry, known) => {
      this.#world.count(`served: ${entry.kind}`);
      if (entry.kind !== 'segment') return;
      const { segment, counts } = entry;
      const { map, ...rest } = segment;
      const id: AttemptId = { jobId, kind: 'map', index: map, ...rest };
      const name = `${worker} serves ${attemptKey(id)}`;
      if (!known.has(attemptKey(id))) this.#world.checker.fail(`${name}, which it does not have (I15)`);
      const made = this.#made.get(attemptKey(id))?.[request.reduce ?? 0];
      if (made && !isSame(made, counts)) this.#world.checker.fail(`${name} other than it was made (I16)`);
    });
  }
}

function isSame(made: SegmentCounts, served: SegmentCounts): boolean {
  return made.records === served.records && made.bytes === served.bytes && made.crc32 === served.crc32;
}

/** Reads along what a worker answers to one fetch. */
export class ServedFrames {
  readonly #books: () => readonly AttemptId[];
  readonly #onEntry: (entry: FrameEntry, known: ReadonlySet<string>) => void;
  /** What was there when the request came may be gone before its bytes are sent. */
  #before: readonly AttemptId[] = [];
  #segmentBytesLeft = 0;

  constructor(
    books: () => readonly AttemptId[],
    onEntry: (entry: FrameEntry, known: ReadonlySet<string>) => void,
  ) {
    this.#books = books;
    this.#onEntry = onEntry;
  }

  /** The request has reached the worker. */
  begin(): void {
    this.#before = this.#books();
  }

  take(frame: Buffer): void {
    for (let at = 0; at < frame.length; ) {
      const skipped = Math.min(this.#segmentBytesLeft, frame.length - at);
      this.#segmentBytesLeft -= skipped;
      at += skipped;
      if (at === frame.length) return;
      const entry = readFrameHeader(frame, at);
      at += frameHeaderBytes;
      this.#segmentBytesLeft = entry.kind === 'segment' ? entry.counts.bytes : 0;
      this.#onEntry(entry, new Set([...this.#before, ...this.#books()].map(attemptKey)));
    }
  }
}
