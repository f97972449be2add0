/**
 * What a finished map said, beside its run file, so that it can be said again to a coordinator that has forgotten it: by this process, or
 * by the next one on the same scratch folder. The segments are not in it: they are the index of the run file, which has its own checksum.
 * So that no other report and no other run file is ever taken for it, it names its attempt and a sum of those segments.
 *
 *   report.json   crc32 of the rest (8 hex digits), space, {"version", "attempt", "segmentsSum", "report", "counters"}
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { failpoint } from '../../lib/failpoints.ts';
import { type AttemptId, attemptKey } from '../../lib/ids.ts';
import type { Counters, SegmentCounts } from '../../lib/job-spec.ts';
import type { AttemptReport, MapReport } from '../../lib/reports.ts';
import { segmentDigest } from '../../lib/segment-digest.ts';
import type { RunReader } from '../shuffle/run-file.ts';

const version = 2;
const fileName = 'report.json';

interface Kept {
  readonly version: number;
  readonly attempt: string;
  readonly segmentsSum: number;
  readonly report: Omit<MapReport, 'segments'>;
  readonly counters: Counters;
}

/** `folder` is the attempt's. Throws what the file system does. */
export function keepReport(
  folder: string,
  attempt: AttemptId,
  { segments, ...report }: MapReport,
  counters: Counters,
): void {
  const segmentsSum = sumOfSegments(segments);
  const kept: Kept = { version, attempt: attemptKey(attempt), segmentsSum, report, counters };
  const text = JSON.stringify(kept);
  const path = join(folder, fileName);
  writeFileSync(`${path}.tmp`, `${sumOf(text)} ${text}`);
  failpoint('output.report-written');
  renameSync(`${path}.tmp`, path);
  failpoint('output.report-kept');
}

/** The report of the attempt, if it made this very run; undefined when none was kept, not a whole one, or one of another attempt or run. */
export function readKeptReport(attempt: AttemptId, run: RunReader): AttemptReport | undefined {
  const kept = readKept(join(dirname(run.path), fileName));
  if (kept?.version !== version || kept.attempt !== attemptKey(attempt)) return undefined;
  const segments = Array.from({ length: run.partitions }, (_, partition) => {
    const { records, bytes, crc32: sum } = run.segment(partition);
    return { records, bytes, crc32: sum };
  });
  if (kept.segmentsSum !== sumOfSegments(segments)) return undefined;
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

function sumOfSegments(segments: readonly SegmentCounts[]): number {
  return crc32(new Uint8Array(Uint32Array.from(segments, segmentDigest).buffer));
}

function sumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
