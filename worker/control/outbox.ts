/**
 * What a worker has to say, gathered into few messages: sent a few milliseconds later, or when there is enough of it. While there is no
 * coordinator only log lines wait here, a bounded number of them: everything else is said again at the next welcome, or comes again.
 */
import type { Clock } from '../../lib/clock.ts';
import type { AttemptId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import type { AttemptReport, FetchProgress, FetchTrouble, PartOpened } from '../../lib/reports.ts';
import type { WorkerMessage } from '../../proto/gen/millrace/v1/WorkerMessage.ts';
import { attemptIdOut, fetchProgressOut, fetchTroubleOut, partOpenedOut, reportOut } from './convert.ts';

type Outgoing = Required<
  Pick<
    WorkerMessage,
    'reports' | 'partsOpened' | 'fetchTroubles' | 'fetchProgress' | 'logLines' | 'mapsCopied' | 'started'
  >
>;

const flushAfterMs = 5;
const flushAtItems = 64;
/** So many segments of a map report, or maps of a fetch progress, weigh as much as another item. */
const columnsPerItem = 512;
/** A reduce of very many maps says what it holds in several messages. */
const mapsPerProgress = flushAtItems * columnsPerItem;

/** Of a log line, beside its text. */
const charsPerLine = 100;

function nothing(): Outgoing {
  return {
    started: [],
    reports: [],
    partsOpened: [],
    fetchTroubles: [],
    fetchProgress: [],
    logLines: [],
    mapsCopied: [],
  };
}

export class Outbox {
  readonly #clock: Clock;
  readonly #write: (message: WorkerMessage) => void;
  #outgoing = nothing();
  #items = 0;
  /** Of the log lines that wait. */
  #logChars = 0;
  #isOpen = false;
  #cancelFlush: (() => void) | undefined;

  /** `write` is called while it is open only. */
  constructor(clock: Clock, write: (message: WorkerMessage) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  /** There is a coordinator that listens. */
  open(): void {
    this.#isOpen = true;
  }

  /** There is none any more: what waits is forgotten, but for the log. */
  close(): void {
    this.#isOpen = false;
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    this.#outgoing = { ...nothing(), logLines: this.#outgoing.logLines };
    this.#items = 0;
  }

  /** A report of very many segments fills a message by itself: what goes together must stay under the message limit. */
  report(report: AttemptReport): void {
    if (!this.#isOpen) return;
    const { outcome } = report;
    const segments = outcome.kind === 'map-done' ? outcome.report.segments.length : 0;
    this.#outgoing.reports.push(reportOut(report));
    this.#grow(1 + segments / columnsPerItem);
  }

  fetchProgress(progress: FetchProgress): void {
    for (let from = 0; from === 0 || from < progress.maps.length; from += mapsPerProgress) {
      if (!this.#isOpen) return;
      const to = from + mapsPerProgress;
      const maps = progress.maps.slice(from, to);
      const digests = progress.digests.slice(from, to);
      this.#outgoing.fetchProgress.push(fetchProgressOut({ ...progress, maps, digests }));
      this.#grow(1 + maps.length / columnsPerItem);
    }
  }

  /** Before anything else runs here, with all that starts now: what user code does to this process may leave no time for more. */
  started(attempt: AttemptId): void {
    if (!this.#isOpen) return;
    if (this.#outgoing.started.push(attemptIdOut(attempt)) === 1) queueMicrotask(() => this.flush());
  }

  /** Soon, so that the coordinator can drop the part if this worker dies. */
  partOpened(opened: PartOpened): void {
    if (!this.#isOpen) return;
    this.#outgoing.partsOpened.push(partOpenedOut(opened));
    this.#grow();
  }

  fetchTrouble(trouble: FetchTrouble): void {
    if (!this.#isOpen) return;
    this.#outgoing.fetchTroubles.push(fetchTroubleOut(trouble));
    this.#grow();
  }

  mapCopied(attempt: AttemptId): void {
    if (!this.#isOpen) return;
    this.#outgoing.mapsCopied.push(attemptIdOut(attempt));
    this.#grow(1 / 64);
  }

  log(attempt: AttemptId, atMs: number, text: string): void {
    const chars = this.#logChars + text.length + charsPerLine;
    if (!this.#isOpen && chars > limits.logCharsWaitingMax) return;
    this.#logChars = chars;
    this.#outgoing.logLines.push({ attempt: attemptIdOut(attempt), atMs, text });
    if (this.#isOpen) this.#grow();
  }

  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    if (!this.#isOpen) return;
    const outgoing = this.#outgoing;
    this.#outgoing = nothing();
    this.#items = 0;
    this.#logChars = 0;
    if (Object.values(outgoing).every((list) => list.length === 0)) return;
    this.#write(outgoing);
  }

  #grow(weight = 1): void {
    this.#items += weight;
    if (this.#items >= flushAtItems) this.flush();
    else this.#cancelFlush ??= this.#clock.after(flushAfterMs, () => this.flush());
  }
}
