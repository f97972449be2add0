/** Records that cannot be mapped: how many a job may skip (`--max-bad-records`), and what is kept of each under `_bad/`. */
import { MillraceError } from './errors.ts';
import type { StagedPart } from './job-spec.ts';
import { limits } from './limits.ts';

/** A number of records of the whole job, or a share of all its input records in percent. */
export type BadRecordBudget =
  | { readonly kind: 'count'; readonly records: number }
  | { readonly kind: 'rate'; readonly percent: number };

/** One line of an object in `_bad/`. Rerun or run twice, an attempt writes the same bytes. */
export interface BadRecordLine {
  /** `m3`: the map task that met it. */
  readonly task: string;
  /** The input object. */
  readonly uri: string;
  /** Of the record's first byte in the (decompressed) object. */
  readonly offset: number;
  /** From 1; null where it is not known without reading the object from its start. */
  readonly line: number | null;
  readonly error: {
    /** `MalformedRecord`, or the name of what the job threw. */
    readonly name: string;
    readonly message: string;
    /** Source-mapped frames of the user's own files; empty for a malformed record. */
    readonly stack: string;
  };
  /** The record's first bytes, base64; fewer than `bytes` when it is long, none when its task has kept many already. */
  readonly raw: string;
  readonly bytes: number;
}

/** What a map attempt skipped, staged beside its output. */
export interface BadRecordsReport {
  /** `records` of it is how many. */
  readonly part: StagedPart;
  /** The first few, as text: where, and what was wrong. */
  readonly examples: readonly string[];
}

/** `100`, `'100'`, `'0.5%'`; undefined for 0, with which the first bad record fails its task. Throws `invalid-argument` naming `option`. */
export function parseBadRecordBudget(value: unknown, option: string): BadRecordBudget | undefined {
  const match = /^(\d{1,10}|\d{1,3}(?:\.\d{1,6})?%)$/.exec(String(value).trim());
  if (!match || (typeof value !== 'number' && typeof value !== 'string')) return refuse(value, option);
  const text = match[1]!;
  const isRate = text.endsWith('%');
  const number = Number(isRate ? text.slice(0, -1) : text);
  if (number > (isRate ? 100 : limits.badRecordsMax)) return refuse(value, option);
  if (number === 0) return undefined;
  return isRate ? { kind: 'rate', percent: number } : { kind: 'count', records: number };
}

function refuse(value: unknown, option: string): never {
  const shown = (JSON.stringify(value) ?? String(value)).slice(0, 80);
  throw new MillraceError(
    'invalid-argument',
    `${option}: expected a number of records from 0 to ${limits.badRecordsMax}, or a share from 0% to 100%, got ${shown}`,
  );
}

/** As it is written in the option. */
export function formatBadRecordBudget(budget: BadRecordBudget): string {
  return budget.kind === 'count' ? String(budget.records) : `${budget.percent}%`;
}

/** How many of so many input records may be bad. */
export function badRecordsAllowed(budget: BadRecordBudget, inputRecords: number): number {
  return budget.kind === 'count' ? budget.records : Math.floor((inputRecords * budget.percent) / 100);
}

/** Why a job, or one task of it, is over the budget; the same sentence wherever that is noticed. */
export function describeOverBudget(
  budget: BadRecordBudget,
  badRecords: number,
  examples: readonly string[],
): string {
  const first = examples.length === 0 ? '' : `; first: ${examples.join('; ')}`;
  return (
    `${badRecords} bad records are over the budget of ${formatBadRecordBudget(budget)} ` +
    `(--max-bad-records, MILLRACE_MAX_BAD_RECORDS)${first}`
  );
}
