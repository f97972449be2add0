/**
 * The only file of the worker's control side that knows both wire and domain types. What the coordinator sends is checked
 * here; a message that makes no sense is a MillraceError `invalid-argument`, never a surprise further in.
 */
import { parseAddress } from '../../lib/address.ts';
import { MillraceError } from '../../lib/errors.ts';
import {
  type AttemptId,
  type JobId,
  type TaskKind,
  toJobId,
  toWorkerId,
  type WorkerId,
} from '../../lib/ids.ts';
import type { JobSpec, Split, StagedPart } from '../../lib/job-spec.ts';
import type { Profile } from '../../lib/profile.ts';
import type {
  AttemptProgress,
  AttemptReport,
  FetchProgress,
  FetchTrouble,
  PartOpened,
  WorkerUsage,
} from '../../lib/reports.ts';
import type { Assignment__Output as WireAssignment } from '../../proto/gen/millrace/v1/Assignment.ts';
import type { AttemptFailure as WireFailure } from '../../proto/gen/millrace/v1/AttemptFailure.ts';
import type {
  AttemptId as WireAttemptId,
  AttemptId__Output as WireAttemptIdIn,
} from '../../proto/gen/millrace/v1/AttemptId.ts';
import type { Diagnose__Output as WireDiagnose } from '../../proto/gen/millrace/v1/Diagnose.ts';
import type { JobInfo__Output as WireJobInfo } from '../../proto/gen/millrace/v1/JobInfo.ts';
import type { Locations__Output as WireLocations } from '../../proto/gen/millrace/v1/Locations.ts';
import type { Report as WireReport } from '../../proto/gen/millrace/v1/Report.ts';
import type { Split__Output as WireSplit } from '../../proto/gen/millrace/v1/Split.ts';
import type { DiagnoseRequest } from './diagnose.ts';

/** What a worker knows of a job. */
export interface JobInfo {
  readonly spec: JobSpec;
  /** For range partition; empty until sampled. */
  readonly cutPoints: readonly Uint8Array[];
  /** For fetching from other workers. */
  readonly ticket: string;
}

export type Assignment = {
  readonly attempt: AttemptId;
} & (
  | { readonly kind: 'sample'; readonly split: Split; readonly keysMax: number }
  | { readonly kind: 'map'; readonly split: Split }
  | { readonly kind: 'reduce'; readonly maps: number }
);

export interface Peer {
  readonly worker: WorkerId;
  readonly fetchAddress: string;
}

export interface Locations {
  readonly jobId: JobId;
  readonly version: number;
  /** The partitions that the digests are of, in order. */
  readonly reduces: readonly number[];
  readonly found: readonly {
    readonly map: number;
    readonly attempt: number;
    readonly epoch: number;
    /** Undefined: the copy in the store. */
    readonly worker: WorkerId | undefined;
    readonly digests: readonly number[];
  }[];
  readonly lost: readonly number[];
  readonly peers: readonly Peer[];
}

const kindsIn: Record<string, TaskKind> = { SAMPLE: 'sample', MAP: 'map', REDUCE: 'reduce' };
const kindsOut = { sample: 'SAMPLE', map: 'MAP', reduce: 'REDUCE' } as const;

function invalid(what: string): never {
  throw new MillraceError('invalid-argument', `a message of the coordinator: ${what}`);
}

export function attemptIdIn(wire: WireAttemptIdIn | null): AttemptId {
  if (!wire) return invalid('an attempt id is missing');
  const kind = kindsIn[wire.kind] ?? invalid(`task kind ${wire.kind}`);
  return { jobId: toJobId(wire.jobId), kind, index: wire.index, attempt: wire.attempt, epoch: wire.epoch };
}

export function attemptIdOut(id: AttemptId): WireAttemptId {
  return { ...id, kind: kindsOut[id.kind] };
}

/** The spec was checked by the coordinator at submit and is its own record; here it only must be of the job named. */
export function jobInfoIn(wire: WireJobInfo): JobInfo {
  const spec = JSON.parse(wire.specJson) as JobSpec;
  if (spec.jobId !== wire.jobId) invalid(`the spec of job ${wire.jobId} says it is of ${spec.jobId}`);
  toJobId(spec.jobId);
  return { spec, cutPoints: wire.cutPoints, ticket: wire.ticket };
}

export function assignmentIn(wire: WireAssignment): Assignment {
  const attempt = attemptIdIn(wire.attempt);
  switch (attempt.kind) {
    case 'sample':
      return { attempt, kind: 'sample', split: splitIn(wire.split), keysMax: wire.sampleKeysMax };
    case 'map':
      return { attempt, kind: 'map', split: splitIn(wire.split) };
    case 'reduce':
      return { attempt, kind: 'reduce', maps: wire.maps };
  }
}

function splitIn(wire: WireSplit | null): Split {
  if (!wire) return invalid('an assignment without its split');
  for (const piece of wire.pieces) {
    if (!(piece.start <= piece.end && piece.end <= piece.objectBytes))
      invalid(`a piece of ${piece.uri} out of its object`);
  }
  return { pieces: wire.pieces, bytes: wire.bytes, hosts: [] };
}

export function locationsIn(wire: WireLocations): Locations {
  return {
    jobId: toJobId(wire.jobId),
    version: wire.version,
    reduces: wire.reduces,
    found: wire.found.map((location) => {
      if (location.digests.length !== wire.reduces.length)
        invalid('a location with a digest too few or too many');
      return { ...location, worker: location.worker === '' ? undefined : toWorkerId(location.worker) };
    }),
    lost: wire.lost,
    peers: wire.peers.map((peer) => ({ worker: toWorkerId(peer.worker), fetchAddress: peer.fetchAddress })),
  };
}

export function heartbeatOut(attempts: readonly AttemptProgress[], usage: WorkerUsage) {
  return {
    ...usage,
    attempts: attempts.map((progress) => ({ ...progress, attempt: attemptIdOut(progress.attempt) })),
  };
}

export function reportOut({ attempt, outcome, counters, again = false, profile }: AttemptReport): WireReport {
  const report = {
    attempt: attemptIdOut(attempt),
    counters: { ...counters },
    again,
    ...(profile && { profile: profileOut(profile) }),
  };
  switch (outcome.kind) {
    case 'sample-done':
      return { ...report, sampleDone: { keys: outcome.keys.map((key) => Buffer.from(key)) } };
    case 'map-done': {
      const { inputRecords, inputBytes, segments, part, spills, spillBytes, bad, copied } = outcome.report;
      const mapDone = {
        inputRecords,
        inputBytes,
        segmentRecords: segments.map((segment) => segment.records),
        segmentBytes: segments.map((segment) => segment.bytes),
        segmentCrc32: segments.map((segment) => segment.crc32),
        part: part ? stagedPartOut(part) : null,
        spills,
        spillBytes,
        bad: bad ? { part: stagedPartOut(bad.part), examples: [...bad.examples] } : null,
        copied: copied ?? false,
      };
      return { ...report, mapDone };
    }
    case 'reduce-done': {
      const { consumed, reduced, part, fetchMs } = outcome.report;
      const reduceDone = {
        consumedRecords: consumed.records,
        consumedBytes: consumed.bytes,
        consumedCrc32: consumed.crc32,
        part: stagedPartOut(part),
        fetchMs,
        reducedRecords: reduced.records,
        reducedBytes: reduced.bytes,
      };
      return { ...report, reduceDone };
    }
    case 'failed':
      // The wire type is the union laid flat: each kind fills its own fields.
      return { ...report, failed: { ...outcome.failure } satisfies WireFailure };
  }
}

function profileOut({ micros, functions }: Profile) {
  return { stageMicros: { ...micros }, functions: [...functions] };
}

function stagedPartOut(part: StagedPart) {
  return { ...part, columns: [...part.columns] };
}

export function partOpenedOut({ attempt, part }: PartOpened) {
  return { attempt: attemptIdOut(attempt), ...part };
}

export function fetchTroubleOut(trouble: FetchTrouble) {
  return { ...trouble, worker: trouble.worker ?? '', attempt: attemptIdOut(trouble.attempt) };
}

export function fetchProgressOut(progress: FetchProgress) {
  const { attempt, maps, digests, complete } = progress;
  return { attempt: attemptIdOut(attempt), maps: [...maps], digests: [...digests], complete };
}

export function diagnoseIn(wire: WireDiagnose): DiagnoseRequest {
  return {
    id: wire.id,
    storeUri: wire.storeUri,
    ticket: wire.ticket,
    peers: wire.peers.map(({ worker, host, fetchAddress }) => {
      parseAddress(fetchAddress, `the fetch address of worker ${worker}`);
      return { worker: toWorkerId(worker), host, fetchAddress };
    }),
  };
}
