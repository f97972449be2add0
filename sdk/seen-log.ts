/** A job's log, followed through streams that break: what one stream said is not said again by the next. */
import type { LogLine } from './handle.ts';

const note =
  'the connection broke: lines from before may be missing, as a coordinator that has taken over has none';

export class SeenLog {
  /** Of the last stream that gave any; a stream begins with the oldest line that its coordinator has. */
  #first: LogLine | undefined;
  #count = 0;

  /** The lines of one more stream. Those that the last one gave are left out; when it begins with another line, a line says so first. */
  async *withoutSeen(lines: AsyncIterable<LogLine>): AsyncGenerator<LogLine, void, void> {
    const before = this.#first;
    const seen = this.#count;
    let isSame = false;
    let at = 0;
    for await (const line of lines) {
      if (at++ === 0) {
        isSame = before !== undefined && isSameLine(before, line);
        if (before && !isSame) yield { task: '', attempt: 0, atMs: line.atMs, text: note };
        this.#first = line;
      }
      if (isSame && at <= seen) continue;
      this.#count = at;
      yield line;
    }
  }
}

function isSameLine(a: LogLine, b: LogLine): boolean {
  return a.task === b.task && a.attempt === b.attempt && a.atMs === b.atMs && a.text === b.text;
}
