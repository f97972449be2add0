/** The report of a benchmark as it is kept: JSON with all raw samples. */
import { readFileSync } from 'node:fs';
import { MillraceError } from '../../lib/errors.ts';
import type { Machine } from '../machine.ts';
import type { Findings } from '../result.ts';

export const reportVersion = 1;

export interface System {
  /** As in the subjects of results. */
  readonly name: string;
  readonly title: string;
  readonly version: string;
}

export interface Report extends Findings {
  readonly version: typeof reportVersion;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly tookSeconds: number;
  /** What was asked for, as flags. */
  readonly options: string;
  readonly machine: Machine;
  /** Who took part beside us. */
  readonly peers: readonly System[];
  /** Wrong answers, and runs of ours that failed. None in a benchmark that one can trust. */
  readonly mistakes: readonly string[];
}

/** Throws `invalid-argument` when it is no report, or one of another version. */
export function readReport(path: string): Report {
  const value = parse(path) as Partial<Report> | null;
  if (value?.version !== reportVersion || !Array.isArray(value.results))
    throw new MillraceError('invalid-argument', `${path} is not a report of version ${reportVersion}`);
  return value as Report;
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new MillraceError('invalid-argument', `${path} cannot be read as a report`, { cause: error });
  }
}
