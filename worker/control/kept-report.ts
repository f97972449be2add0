/**
 * What a finished map said, beside its run file, so that it can be said again to a coordinator that has forgotten it: by this process, or
 * by the next one on the same scratch folder. The segments are not in it: they are the index of the run file, which has its own checksum.
 *
 *   report.json   crc32 of the rest (8 hex digits), space, {"version", "report", "counters"}
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { AttemptId } from '../../lib/ids.ts';
import type { Counters } from '../../lib/job-spec.ts';
import type { AttemptReport, MapReport } from '../../lib/reports.ts';
import type { RunReader } from '../shuffle/run-file.ts';

const version = 1;
const fileName = 'report.json';

interface Kept {
  readonly version: number;
  readonly report: Omit<MapReport, 'segments'>;
  readonly counters: Counters;
}

/** `folder` is the attempt's. Throws what the file system does. */
export function keepReport(folder: string, { segments, ...report }: MapReport, counters: Counters): void {
  const text = JSON.stringify({ version, report, counters } satisfies Kept);
  const path = join(folder, fileName);
  writeFileSync(`${path}.tmp`, `${sumOf(text)} ${text}`);
  renameSync(`${path}.tmp`, path);
}

/** The report of the attempt that made this run; undefined when none was kept, or not a whole one. */
export function readKeptReport(attempt: AttemptId, run: RunReader): AttemptReport | undefined {
  const kept = readKept(join(dirname(run.path), fileName));
  if (kept?.version !== version) return undefined;
  const segments = Array.from({ length: run.partitions }, (_, partition) => {
    const { records, bytes, crc32: sum } = run.segment(partition);
    return { records, bytes, crc32: sum };
  });
  const report: MapReport = { ...kept.report, segments };
  return { attempt, outcome: { kind: 'map-done', report }, counters: kept.counters, again: true };
}

function readKept(path: string): Kept | undefined {
  let file: string;
  try {
    file = readFileSync(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
  const text = file.slice(9);
  // Whole by its checksum, so it is what keepReport wrote.
  return file.slice(0, 9) === `${sumOf(text)} ` ? (JSON.parse(text) as Kept) : undefined;
}

function sumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
