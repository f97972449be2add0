/**
 * Says the reports of the map outputs on this disk again to a coordinator of a new epoch, which knows nothing of them: a few at a time,
 * read from the disk when it is their turn, so that many outputs of many partitions take no memory.
 */
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import { type AttemptId, attemptKey } from '../../lib/ids.ts';
import type { Log } from '../../lib/log.ts';
import { aboutAttempt } from '../../lib/log-subject.ts';
import type { AttemptReport } from '../../lib/reports.ts';
import type { MapOutputs } from '../shuffle/outputs.ts';
import { readKeptReport } from './kept-report.ts';

/** Said and not answered yet. */
const inFlightMax = 64;

export interface RepeatReportsPorts {
  readonly outputs: MapOutputs;
  readonly log: Log;
  /** Must lead to {@link RepeatReports.answered}, however often the stream breaks before. */
  report(report: AttemptReport): void;
}

export class RepeatReports {
  readonly #ports: RepeatReportsPorts;
  readonly #inFlight = new Set<string>();
  #waiting: AttemptId[] = [];

  constructor(ports: RepeatReportsPorts) {
    this.#ports = ports;
  }

  /** What waited before is replaced. */
  begin(attempts: readonly AttemptId[]): void {
    this.#waiting = attempts.filter((id) => !this.#inFlight.has(attemptKey(id))).reverse();
    this.#sayMore();
  }

  /** Any answer; of an attempt that was not said again it changes nothing. */
  answered(attempt: AttemptId): void {
    if (this.#inFlight.delete(attemptKey(attempt))) this.#sayMore();
  }

  /** Nobody waits for them any more. */
  clear(): void {
    this.#waiting = [];
    this.#inFlight.clear();
  }

  #sayMore(): void {
    while (this.#inFlight.size < inFlightMax) {
      const attempt = this.#waiting.pop();
      if (!attempt) return;
      const report = this.read(attempt);
      if (!report) continue;
      failpoint('worker.inventory');
      this.#inFlight.add(attemptKey(attempt));
      this.#ports.report(report);
    }
  }

  /** Undefined when its output is gone meanwhile, or cannot be vouched for: then its map runs again if it is needed. */
  read(attempt: AttemptId): AttemptReport | undefined {
    try {
      const run = this.#ports.outputs.find(attempt.jobId, attempt.index, attempt.attempt, attempt.epoch);
      return run && readKeptReport(attempt, run);
    } catch (thrown) {
      const { message } = MillraceError.from(thrown);
      this.#ports.log.warn(aboutAttempt(attempt), `its output cannot be offered again: ${message}`);
      return undefined;
    }
  }
}
