/** Short ways to make what the core's tests feed in: specs, splits, workers, reports. */
import { badPartName, partName } from '../../lib/formats.ts';
import type { AttemptId, JobId, WorkerId } from '../../lib/ids.ts';
import type { JobSpec, SegmentCounts, Split, StagedPart } from '../../lib/job-spec.ts';
import type { WorkerInfo, WorkerUsage } from '../../lib/reports.ts';

export function makeSpec(jobId: string, changes: Partial<JobSpec> = {}): JobSpec {
  return {
    jobId: jobId as JobId,
    name: `name of ${jobId}`,
    bundle: { uri: `mem:///jobs/${jobId}/bundle.mjs`, sha256: 'ab'.repeat(32), bytes: 10 },
    input: { kind: 'lines' },
    output: { kind: 'tsv', compression: 'none' },
    inputPatterns: ['mem:///in/*'],
    outputUri: `mem:///out/${jobId}/`,
    ifExists: 'fail',
    params: {},
    reducers: 1,
    partition: 'hash',
    splitBytes: 1000,
    maps: undefined,
    priority: 0,
    attemptsMax: 4,
    taskTimeoutMs: 600_000,
    partOffset: 0,
    submittedAtMs: 0,
    ...changes,
  };
}

export function makeSplits(count: number, bytes = 1000, hosts: readonly string[] = []): Split[] {
  return Array.from({ length: count }, (_, index) => {
    const host = hosts[index % Math.max(1, hosts.length)];
    const piece = { uri: `mem:///in/${index}`, start: 0, end: bytes, objectBytes: bytes, etag: '' };
    return { pieces: [piece], bytes, hosts: host === undefined ? [] : [host] };
  });
}

export function makeWorker(workerId: string, changes: Partial<WorkerInfo> = {}): WorkerInfo {
  return {
    workerId: workerId as WorkerId,
    host: `host-of-${workerId}`,
    fetchAddress: `${workerId}:9000`,
    slots: 2,
    pid: 1,
    softwareVersion: '1.0.0',
    draining: false,
    ...changes,
  };
}

export function makeUsage(changes: Partial<WorkerUsage> = {}): WorkerUsage {
  return {
    rssBytes: 0,
    memoryBytesMax: 0,
    cpuFraction: 0,
    scratchBytes: 0,
    scratchBytesMax: 0,
    ...changes,
  };
}

/** `records` in one segment, and a variant for a map that makes something else the next time. */
export function makeSegment(records: number, variant = 0): SegmentCounts {
  return { records, bytes: records * 10, crc32: (records * 2_654_435_761 + variant) % 2 ** 32 };
}

/** What a map skipped. */
export function makeBadPart(id: AttemptId, records = 1): StagedPart {
  const uri = `mem:///out/${id.jobId}/${badPartName(id.index)}`;
  return { ...makePart(id, records), uri, token: tokenOf('bad', id) };
}

export function makePart(id: AttemptId, records = 1): StagedPart {
  const { jobId, kind, index } = id;
  const name = partName(kind === 'map' ? 'map' : 'reduce', index);
  return {
    uri: `mem:///out/${jobId}/${name}`,
    token: tokenOf(kind, id),
    bytes: records * 5,
    records,
    crc32: 1,
    columns: [],
  };
}

/** No two attempts have one, as in a real store: also not those of one number under two coordinators. */
function tokenOf(what: string, { index, attempt, epoch }: AttemptId): string {
  return `${what}-${index}.${attempt}${epoch === 1 ? '' : `@${epoch}`}`;
}
