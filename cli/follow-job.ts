/** Shows a job on stderr until it has ended: lines that a terminal redraws, elsewhere one line every ten seconds. */
import { clearScreenDown, moveCursor } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { MillraceError } from '../lib/errors.ts';
import type { JobView } from '../lib/job-view.ts';
import { isTerminal } from '../lib/job-view.ts';
import type { JobHandle } from '../sdk/handle.ts';
import { say } from './output.ts';
import { renderProgress, renderProgressLine, type Sample } from './render/progress.ts';
import { stderrPaint } from './render/style.ts';

const lineIntervalMs = 10_000;
/** Speeds are measured over about so long. */
const windowMs = 3_000;

/** Resolves with the terminal view. `seen` hears every view. */
export async function followJob(
  handle: JobHandle,
  options: {
    readonly signal?: AbortSignal;
    readonly quiet?: boolean;
    readonly seen?: (view: JobView) => void;
  },
): Promise<JobView> {
  const shown = options.quiet ? undefined : openDisplay();
  try {
    for await (const view of handle.watch({ signal: options.signal })) {
      options.seen?.(view);
      shown?.update({ atMs: Date.now(), view });
      if (isTerminal(view.state)) return view;
    }
  } finally {
    shown?.close();
  }
  throw new MillraceError('internal', `the watch of job ${handle.id} ended before the job did`);
}

interface Display {
  update(sample: Sample): void;
  /** Takes away what was drawn. */
  close(): void;
}

function openDisplay(): Display {
  return process.stderr.isTTY && process.env.TERM !== 'dumb' ? terminalDisplay() : lineDisplay();
}

/** The samples that speeds are measured against. */
class History {
  first: Sample | undefined;
  #recent: Sample[] = [];

  /** The oldest sample within the window before `now`, or the last one before that. */
  before(now: Sample): Sample {
    this.first ??= now;
    while (this.#recent.length > 1 && now.atMs - this.#recent[1]!.atMs >= windowMs) this.#recent.shift();
    const before = this.#recent[0] ?? now;
    this.#recent.push(now);
    return before;
  }
}

function terminalDisplay(): Display {
  const history = new History();
  const paint = stderrPaint();
  let drawn = 0;
  const erase = () => {
    if (drawn === 0) return;
    moveCursor(process.stderr, 0, -drawn);
    clearScreenDown(process.stderr);
    drawn = 0;
  };
  return {
    update(sample) {
      const before = history.before(sample);
      const lines = renderProgress(history.first ?? sample, before, sample, paint);
      erase();
      const columns = process.stderr.columns || 80;
      for (const line of lines) process.stderr.write(`${crop(line, columns - 1)}\n`);
      drawn = lines.length;
    },
    close: erase,
  };
}

/** A line that wrapped would be erased only in part. */
function crop(line: string, columns: number): string {
  const text = stripVTControlCharacters(line);
  return text.length <= columns ? line : text.slice(0, columns);
}

function lineDisplay(): Display {
  const history = new History();
  let last: Sample | undefined;
  let before: Sample | undefined;
  const timer = setInterval(() => {
    if (!last || !before || !history.first) return;
    say(renderProgressLine(history.first, before, { atMs: Date.now(), view: last.view }));
  }, lineIntervalMs);
  timer.unref();
  return {
    update(sample) {
      before = history.before(sample);
      last = sample;
    },
    close: () => clearInterval(timer),
  };
}
