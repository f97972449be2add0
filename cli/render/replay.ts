/** What `millrace replay` says beside the pairs. */
import { describeFailure } from '../../lib/attempt-failure.ts';
import { formatBytes } from '../../lib/units.ts';
import type { Replay, ReplayEnd } from '../../sdk/replay.ts';
import { renderFailureLines } from './error.ts';
import { plural } from './progress.ts';
import { type Paint, plain } from './style.ts';

const piecesShown = 3;

export function renderReplayStart({ spec, name, input, past }: Replay, paint: Paint = plain): string[] {
  const { bytes } = input.kind === 'map' ? input.split : input.kept;
  const lines = [`${paint('strong', name)} of ${spec.name} (${spec.jobId}), ${formatBytes(bytes)}`];
  lines.push(...renderInput(input));
  if (past) {
    const how = past.failure ? `failed: ${describeFailure(past.failure).split('\n')[0]}` : past.outcome;
    lines.push(`  then     on ${past.worker} ${how}`);
  }
  return lines;
}

function renderInput(input: Replay['input']): string[] {
  if (input.kind === 'reduce') {
    const { maps, attempt } = input.kept;
    return [`  reads    what attempt ${attempt} had read, of ${plural(maps, 'map')}`];
  }
  const { pieces } = input.split;
  const lines = pieces
    .slice(0, piecesShown)
    .map(({ uri, start, end }) => `  reads    ${uri} ${start}-${end}`);
  if (pieces.length > piecesShown) lines.push(`           and ${pieces.length - piecesShown} more`);
  return lines;
}

export function renderReplayEnd(end: ReplayEnd, excerpt: string | undefined, paint: Paint = plain): string[] {
  const { replay, failure, inputRecords, yieldedPairs } = end;
  const did = `after ${plural(inputRecords, 'record')} and ${plural(yieldedPairs, replay.input.kind === 'map' ? 'pair' : 'output record')}`;
  const counters = Object.entries(end.counters).map(([name, value]) => `  counter  ${name} ${value}`);
  if (!failure)
    return [`${paint('good', '✔')} ${paint('strong', replay.name)} ended well ${did}`, ...counters];
  const again = replay.past?.failure ? ' again' : '';
  const head = `${paint('bad', '✖')} ${paint('strong', replay.name)} failed${again} ${did}:`;
  return [head, ...renderFailureLines(failure, excerpt, paint), ...counters];
}
