/** A running job as lines of text. Pure: time comes in as numbers. */
import { isTerminal, type JobView, type PhaseView } from '../../lib/job-view.ts';
import { formatDurationMs } from '../../lib/units.ts';
import { type Paint, plain } from './style.ts';
import { formatCount } from './table.ts';

/** So few that a usual line fits in 80 columns. */
const barCells = 12;

/** How fast a phase goes, measured between two views. */
export interface PhaseSpeed {
  readonly recordsPerSecond: number;
  /** Undefined while nothing can be said. */
  readonly leftMs: number | undefined;
}

export interface Sample {
  readonly atMs: number;
  readonly view: JobView;
}

export type PhaseName = 'map' | 'reduce';

/** Records over the time since `before`; time left by the tasks done since the phase began. */
export function measureSpeed(name: PhaseName, first: Sample, before: Sample, now: Sample): PhaseSpeed {
  const seconds = (now.atMs - before.atMs) / 1000;
  const records = now.view[name].records - before.view[name].records;
  const done = now.view[name].done - first.view[name].done;
  const left = now.view[name].total - now.view[name].done;
  const tookMs = now.atMs - first.atMs;
  return {
    recordsPerSecond: seconds > 0 ? Math.max(0, records / seconds) : 0,
    leftMs: done > 0 && left > 0 ? Math.ceil(((tookMs / done) * left) / 1_000) * 1_000 : undefined,
  };
}

/** `map     ━━━━━━━━━━          12/24 done  4 running  8 waiting  1 failed attempt  120,000 records/s  about 12s left`. */
export function renderPhase(
  name: PhaseName,
  phase: PhaseView,
  speed: PhaseSpeed,
  paint: Paint = plain,
): string {
  const fraction = phase.total > 0 ? phase.done / phase.total : 0;
  const cells = Math.floor(fraction * barCells);
  const bar = paint('good', '━'.repeat(cells)) + paint('dim', '─'.repeat(barCells - cells));
  const parts = [`${phase.done}/${phase.total} done`];
  if (phase.running > 0) parts.push(`${phase.running} running`);
  if (phase.waiting > 0) parts.push(`${phase.waiting} waiting`);
  if (phase.failedAttempts > 0) parts.push(paint('bad', plural(phase.failedAttempts, 'failed attempt')));
  if (phase.reruns > 0) parts.push(paint('warn', plural(phase.reruns, 'rerun')));
  if (phase.backups > 0) parts.push(plural(phase.backups, 'backup'));
  if (phase.done < phase.total) {
    if (speed.recordsPerSecond >= 1) parts.push(`${formatCount(speed.recordsPerSecond)} records/s`);
    if (speed.leftMs !== undefined) parts.push(`about ${formatDurationMs(speed.leftMs)} left`);
  } else if (phase.records > 0) parts.push(`${formatCount(phase.records)} records`);
  return `${name.padEnd(7)} ${bar} ${parts.join('  ')}`;
}

/** The lines that a terminal redraws. */
export function renderProgress(first: Sample, before: Sample, now: Sample, paint: Paint = plain): string[] {
  const { view } = now;
  const lines: string[] = [];
  if (view.map.total > 0)
    lines.push(renderPhase('map', view.map, measureSpeed('map', first, before, now), paint));
  if (view.reduce.total > 0) {
    lines.push(renderPhase('reduce', view.reduce, measureSpeed('reduce', first, before, now), paint));
  }
  if (lines.length === 0 && !isTerminal(view.state)) lines.push(waitingLine(view));
  if (view.state === 'COMMITTING') lines.push('committing the output');
  return lines;
}

/** The one line where nothing can be redrawn. */
export function renderProgressLine(first: Sample, before: Sample, now: Sample): string {
  const { view } = now;
  const elapsed = formatDurationMs(Math.max(0, now.atMs - view.submittedAtMs));
  if (view.map.total === 0) return `${elapsed}  ${waitingLine(view)}`;
  const name = view.state === 'MAPPING' || view.reduce.total === 0 ? 'map' : 'reduce';
  const { recordsPerSecond, leftMs } = measureSpeed(name, first, before, now);
  const parts = (['map', 'reduce'] as const)
    .filter((phase) => view[phase].total > 0)
    .map((phase) => {
      const { done, total, running, failedAttempts } = view[phase];
      const failed = failedAttempts > 0 ? `, ${plural(failedAttempts, 'failed attempt')}` : '';
      return `${phase} ${done}/${total}${running > 0 ? ` (${running} running${failed})` : failed && ` (${failed.slice(2)})`}`;
    });
  if (recordsPerSecond >= 1) parts.push(`${formatCount(recordsPerSecond)} records/s`);
  if (leftMs !== undefined) parts.push(`about ${formatDurationMs(leftMs)} left`);
  return `${elapsed}  ${view.state}  ${parts.join('  ')}`;
}

export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function waitingLine(view: JobView): string {
  return view.state === 'SUBMITTED' ? 'listing the input' : view.state.toLowerCase();
}
