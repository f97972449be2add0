/** What `run`, `submit` and `watch` say when a job has ended, and with which exit code. */
import { errorCodes, isErrorCode } from '../lib/errors.ts';
import type { JobView } from '../lib/job-view.ts';
import { sourceExcerpt, topFrame } from '../lib/user-stack.ts';
import { say } from './output.ts';
import { renderFailure } from './render/error.ts';
import { renderProfile } from './render/profile.ts';
import { stderrPaint } from './render/style.ts';
import { renderSummary } from './render/summary.ts';

export interface ReportOptions {
  readonly quiet?: boolean | undefined;
  /** Where the code of the job is at hand: its source is shown around the error. */
  readonly bundleCode?: Uint8Array;
  readonly showOutput: boolean;
  readonly showCommands: boolean;
}

/** 0 done, 4 cancelled, else that of the cause: 1, unless it is one of the submitter's options or of the store. */
export function exitCodeOf(view: JobView): number {
  if (view.state === 'COMPLETED') return 0;
  if (view.state === 'CANCELLED') return errorCodes.cancelled.exitCode;
  const code = view.cause?.code ?? '';
  return isErrorCode(code) ? errorCodes[code].exitCode : 1;
}

/** A failure is said even when quiet. */
export function reportEnd(view: JobView, options: ReportOptions): void {
  const paint = stderrPaint();
  if (view.state === 'COMPLETED') {
    if (!options.quiet)
      say([...renderSummary(view, options, paint), ...renderProfile(view, paint)].join('\n'));
    return;
  }
  const { showCommands } = options;
  say(renderFailure(view, { excerpt: excerptOf(view, options.bundleCode), showCommands }, paint).join('\n'));
}

function excerptOf(view: JobView, bundleCode: Uint8Array | undefined): string | undefined {
  const failure = view.cause?.failure;
  if (!bundleCode || failure?.kind !== 'user-error') return undefined;
  const frame = topFrame(failure.stack);
  return frame && sourceExcerpt(bundleCode, frame.file, frame.line);
}
