/** How a job ended well, and one job at a glance. */
import { describeDifference, differenceAdvice } from '../../lib/difference.ts';
import { isTerminal, type JobView } from '../../lib/job-view.ts';
import { uriToPath } from '../../lib/store/uri.ts';
import { formatBytes, formatDurationMs } from '../../lib/units.ts';
import { plural, renderPhase } from './progress.ts';
import { type Paint, plain } from './style.ts';
import { formatCount, renderTable } from './table.ts';

/** Of maps that are not deterministic. */
const differencesNamed = 3;

export interface SummaryOptions {
  /** False when the output is on stdout and its folder is gone. */
  readonly showOutput: boolean;
  /** Whether a coordinator will still know the job. */
  readonly showCommands: boolean;
}

/** `✔ word-count done in 4.2s: 120,000 records (64 MiB) in`, where the output is, counters, what to type next. */
export function renderSummary(view: JobView, options: SummaryOptions, paint: Paint = plain): string[] {
  const { records, bytes } = view.map;
  const head = `${paint('good', '✔')} ${paint('strong', view.name)} done in ${elapsed(view, view.endedAtMs ?? view.submittedAtMs)}`;
  const lines = [`${head}: ${plural(records, 'record')} (${formatBytes(bytes)}) read`];
  if (options.showOutput) lines.push(`  output   ${showUri(view.outputUri)}`);
  lines.push(...badRecordLines(view), ...differenceLines(view), ...counterLines(view));
  const retried = view.map.failedAttempts + view.reduce.failedAttempts;
  if (retried > 0) lines.push(`  retried  ${plural(retried, 'failed attempt')}`);
  if (options.showCommands) {
    lines.push(`  next     millrace results ${view.jobId} --head 10 · millrace status ${view.jobId}`);
  }
  return lines;
}

/** All that `millrace status` shows. */
export function renderStatus(view: JobView, nowMs: number, paint: Paint = plain): string[] {
  const speed = { recordsPerSecond: 0, leftMs: undefined };
  const lines = [
    `${paint('strong', view.name)}  ${view.jobId}`,
    `  state    ${paintState(view, paint)}, ${elapsed(view, nowMs)}${view.priority === 0 ? '' : `, priority ${view.priority}`}`,
    `  input    ${view.input.map(showUri).join('  ')}`,
    `  output   ${showUri(view.outputUri)}`,
  ];
  if (view.map.total > 0) lines.push(`  ${renderPhase('map', view.map, speed, paint)}`);
  if (view.reduce.total > 0) lines.push(`  ${renderPhase('reduce', view.reduce, speed, paint)}`);
  if (view.durability !== 'local' && view.reduce.total > 0)
    lines.push(
      `  copied   ${view.mapsCopied}/${view.map.total} map outputs (--durability ${view.durability})`,
    );
  lines.push(...badRecordLines(view), ...differenceLines(view), ...counterLines(view));
  if (view.cause) lines.push(`  cause    ${view.cause.message}`);
  const last = view.failedAttempts.at(-1);
  if (last && !view.cause) {
    lines.push(
      `  failed   ${last.task}.${last.attempt} on ${last.worker}: ${last.failure.message.split('\n')[0]}`,
    );
  }
  return lines;
}

/** One row per job. */
export function renderList(views: readonly JobView[], nowMs: number, paint: Paint = plain): string[] {
  if (views.length === 0) return [];
  const rows = views.map((view) => [
    view.jobId,
    view.name,
    view.state,
    `${view.map.done}/${view.map.total}`,
    `${view.reduce.done}/${view.reduce.total}`,
    view.map.failedAttempts + view.reduce.failedAttempts,
    elapsed(view, nowMs),
  ]);
  const [head = '', ...lines] = renderTable(['ID', 'NAME', 'STATE', 'MAP', 'REDUCE', 'FAILED', 'TIME'], rows);
  return [paint('dim', head), ...lines];
}

/** `file:///a/b/` as the path it is. */
export function showUri(uri: string): string {
  return uri.startsWith('file:') ? uriToPath(uri) : uri;
}

function elapsed(view: JobView, nowMs: number): string {
  return formatDurationMs(Math.max(0, (view.endedAtMs ?? nowMs) - view.submittedAtMs));
}

function paintState(view: JobView, paint: Paint): string {
  if (!isTerminal(view.state)) return view.state;
  return paint(view.state === 'COMPLETED' ? 'good' : 'bad', view.state);
}

function badRecordLines({ badRecords, outputUri, state }: JobView): string[] {
  if (badRecords === 0) return [];
  const where = state === 'COMPLETED' ? `, in ${showUri(outputUri)}_bad/` : '';
  return [`  skipped  ${plural(badRecords, 'bad record')}${where}`];
}

function differenceLines({ nonDeterministic, state, cause }: JobView): string[] {
  if (nonDeterministic.length === 0) return [];
  const named = nonDeterministic.slice(0, differencesNamed).map(describeDifference);
  const more = nonDeterministic.length - named.length;
  // The cause of the job's failure says one of them already.
  const shown = named.filter((difference) => !cause?.message.startsWith(difference));
  if (more > 0) shown.push(`${more} more: millrace status --json`);
  if (state === 'COMPLETED')
    shown.push('the output is that of one run of each map; another run may give another');
  shown.push(differenceAdvice);
  return shown.map((line, i) => `  ${i === 0 ? 'differs ' : '        '} ${line}`);
}

function counterLines(view: JobView): string[] {
  return Object.entries(view.counters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value], i) => `  ${i === 0 ? 'counters' : '        '} ${name} ${formatCount(value)}`);
}
