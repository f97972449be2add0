/** `--profile`: where the time of a job went, as a table by stage, and the functions of the job that took most. */
import type { JobView } from '../../lib/job-view.ts';
import { type Profile, type Stage, stages } from '../../lib/profile.ts';
import { type Paint, plain } from './style.ts';
import { formatCount, renderTable } from './table.ts';

const functionsShown = 5;

/** Stages that took nothing are left out; nothing at all for a job without a profile. */
export function renderProfile(
  { profile, map }: Pick<JobView, 'profile' | 'map'>,
  paint: Paint = plain,
): string[] {
  if (!profile) return [];
  const { micros } = profile;
  const busy = stages.filter((stage) => stage !== 'idle').reduce((sum, stage) => sum + micros[stage], 0);
  if (busy === 0) return ['  profile  too short to be sampled'];
  const row = (name: string, spent: number) => [
    name,
    seconds(spent),
    `${((100 * spent) / busy).toFixed(1)}%`,
    // Bytes over microseconds are megabytes over seconds.
    map.bytes === 0 ? '' : megabytesPerSecond(map.bytes / spent),
  ];
  const spentIn = stages.filter((stage) => stage !== 'idle' && micros[stage] > 0);
  const rows = [...spentIn.map((stage) => row(stage, micros[stage])), row('all', busy)];
  const [head = '', ...lines] = renderTable(['STAGE', 'TIME', 'SHARE', 'INPUT MB/S PER CORE'], rows);
  return [paint('dim', head), ...lines, ...waited(micros), ...functionLines(profile, busy)];
}

function waited({ idle }: Readonly<Record<Stage, number>>): string[] {
  return idle === 0 ? [] : [`(tasks waited ${seconds(idle)} for input, output or each other)`];
}

function functionLines({ functions }: Profile, busy: number): string[] {
  return functions.slice(0, functionsShown).map(({ name, file, line, micros }, i) => {
    const place = file === '' ? '' : ` (${file}${line > 0 ? `:${line}` : ''})`;
    const share = `${((100 * micros) / busy).toFixed(1)}%`.padStart(6);
    return `${i === 0 ? 'hottest' : '       '} ${share}  ${name || '(anonymous)'}${place}`;
  });
}

function megabytesPerSecond(speed: number): string {
  return speed < 100 ? speed.toPrecision(2) : formatCount(speed);
}

function seconds(micros: number): string {
  return `${(micros / 1e6).toFixed(2)}s`;
}
