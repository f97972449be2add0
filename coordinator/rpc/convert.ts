/**
 * The only file of the coordinator that knows both wire and domain types. What comes in is checked here: proto-loader
 * drops mistakes silently, so nothing behind this file may be surprised. Throws `invalid-argument` naming the field.
 */
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import type { BadRecordsReport } from '../../lib/bad-records.ts';
import { MillraceError } from '../../lib/errors.ts';
import { type AttemptId, type TaskKind, toJobId, toWorkerId, type WorkerId } from '../../lib/ids.ts';
import type { Counters, OpenPart, SegmentCounts, StagedPart } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import { hotFunctionsMax, noMicros, type Profile, stages } from '../../lib/profile.ts';
import {
  type AttemptOutcome,
  type AttemptPhase,
  type AttemptProgress,
  type AttemptReport,
  type FetchProgress,
  type FetchTrouble,
  fetchTroubleCauses,
  type PartOpened,
  type WorkerInfo,
  type WorkerUsage,
} from '../../lib/reports.ts';
import type { Assignment as WireAssignment } from '../../proto/gen/millrace/v1/Assignment.ts';
import type { AttemptFailure__Output as WireFailure } from '../../proto/gen/millrace/v1/AttemptFailure.ts';
import type {
  AttemptId as WireAttemptId,
  AttemptId__Output as WireAttemptIdIn,
} from '../../proto/gen/millrace/v1/AttemptId.ts';
import type { AttemptProgress__Output as WireProgress } from '../../proto/gen/millrace/v1/AttemptProgress.ts';
import type { BadRecords__Output as WireBadRecords } from '../../proto/gen/millrace/v1/BadRecords.ts';
import type { Diagnosis__Output as WireDiagnosis } from '../../proto/gen/millrace/v1/Diagnosis.ts';
import type { FetchProgress__Output as WireFetchProgress } from '../../proto/gen/millrace/v1/FetchProgress.ts';
import type { FetchTrouble__Output as WireFetchTrouble } from '../../proto/gen/millrace/v1/FetchTrouble.ts';
import type { Heartbeat__Output as WireHeartbeat } from '../../proto/gen/millrace/v1/Heartbeat.ts';
import type { Hello__Output as WireHello } from '../../proto/gen/millrace/v1/Hello.ts';
import type { Locations as WireLocations } from '../../proto/gen/millrace/v1/Locations.ts';
import type { MapDone__Output as WireMapDone } from '../../proto/gen/millrace/v1/MapDone.ts';
import type { PartOpened__Output as WirePartOpened } from '../../proto/gen/millrace/v1/PartOpened.ts';
import type { Profile__Output as WireProfile } from '../../proto/gen/millrace/v1/Profile.ts';
import type { ReduceDone__Output as WireReduceDone } from '../../proto/gen/millrace/v1/ReduceDone.ts';
import type { Report__Output as WireReport } from '../../proto/gen/millrace/v1/Report.ts';
import type { StagedPart__Output as WireStagedPart } from '../../proto/gen/millrace/v1/StagedPart.ts';
import type { Effect, TaskInput } from '../core/effects.ts';
import type { WorkerAnswer } from '../diagnose.ts';

function invalid(what: string): never {
  throw new MillraceError('invalid-argument', `a worker's message: ${what}`);
}

function count(value: number, what: string): number {
  return Number.isSafeInteger(value) && value >= 0 ? value : invalid(`${what} is ${value}`);
}

const kindsIn: Record<string, TaskKind> = { SAMPLE: 'sample', MAP: 'map', REDUCE: 'reduce' };
const kindsOut = { sample: 'SAMPLE', map: 'MAP', reduce: 'REDUCE' } as const;

export function attemptIdIn(wire: WireAttemptIdIn | null): AttemptId {
  if (!wire) return invalid('an attempt id is missing');
  const kind = kindsIn[wire.kind] ?? invalid(`task kind ${wire.kind}`);
  return {
    jobId: toJobId(wire.jobId),
    kind,
    index: wire.index,
    attempt: wire.attempt,
    epoch: wire.epoch,
  };
}

export function attemptIdOut(id: AttemptId): WireAttemptId {
  return { ...id, kind: kindsOut[id.kind] };
}

const homePattern = /^[0-9a-f]{64}$/;

export function helloIn(wire: WireHello): WorkerInfo {
  if (wire.slots < 1 || wire.slots > limits.slotsMax) {
    invalid(`slots is ${wire.slots}, must be from 1 to ${limits.slotsMax} (--slots)`);
  }
  return {
    workerId: toWorkerId(wire.workerId),
    host: wire.host.slice(0, 255),
    fetchAddress: /^[^\s/]{1,255}:\d{1,5}$/.test(wire.fetchAddress)
      ? wire.fetchAddress
      : invalid(`fetch address ${JSON.stringify(wire.fetchAddress)} (--advertise)`),
    slots: wire.slots,
    pid: wire.pid,
    softwareVersion: wire.softwareVersion.slice(0, 64),
    draining: wire.draining,
    home:
      wire.home === '' || homePattern.test(wire.home) ? wire.home || undefined : invalid('home is no digest'),
  };
}

export function usageIn(wire: WireHeartbeat): WorkerUsage {
  return {
    rssBytes: count(wire.rssBytes, 'rss_bytes'),
    memoryBytesMax: count(wire.memoryBytesMax, 'memory_bytes_max'),
    cpuFraction: cpuFractionIn(wire.cpuFraction),
    scratchBytes: count(wire.scratchBytes, 'scratch_bytes'),
    scratchBytesMax: count(wire.scratchBytesMax, 'scratch_bytes_max'),
  };
}

function cpuFractionIn(fraction: number): number {
  return fraction >= 0 && Number.isFinite(fraction) ? fraction : invalid(`cpu_fraction is ${fraction}`);
}

const phases: readonly AttemptPhase[] = ['waiting', 'sample', 'map', 'fetch', 'ready', 'reduce'];

export function progressIn(wire: WireProgress): AttemptProgress {
  return {
    attempt: attemptIdIn(wire.attempt),
    phase: phases.find((phase) => phase === wire.phase) ?? invalid(`phase ${wire.phase}`),
    recordsIn: count(wire.recordsIn, 'records_in'),
    bytesIn: count(wire.bytesIn, 'bytes_in'),
    recordsOut: count(wire.recordsOut, 'records_out'),
    bytesOut: count(wire.bytesOut, 'bytes_out'),
  };
}

export function reportIn(wire: WireReport): AttemptReport {
  return {
    attempt: attemptIdIn(wire.attempt),
    outcome: outcomeIn(wire),
    counters: countersIn(wire.counters),
    ...(wire.again ? { again: true } : {}),
    ...(wire.profile ? { profile: profileIn(wire.profile) } : {}),
  };
}

function outcomeIn(wire: WireReport): AttemptOutcome {
  if (wire.sampleDone) return { kind: 'sample-done', keys: wire.sampleDone.keys };
  if (wire.mapDone) return { kind: 'map-done', report: mapDoneIn(wire.mapDone) };
  if (wire.reduceDone) return { kind: 'reduce-done', report: reduceDoneIn(wire.reduceDone) };
  if (wire.failed) return { kind: 'failed', failure: failureIn(wire.failed) };
  return invalid('a report without an outcome');
}

function mapDoneIn(wire: WireMapDone) {
  const partitions = wire.segmentRecords.length;
  if (wire.segmentBytes.length !== partitions || wire.segmentCrc32.length !== partitions) {
    invalid('segment columns of different lengths');
  }
  const segments: SegmentCounts[] = wire.segmentRecords.map((records, i) => ({
    records: count(records, 'segment_records'),
    bytes: count(wire.segmentBytes[i]!, 'segment_bytes'),
    crc32: wire.segmentCrc32[i]!,
  }));
  return {
    inputRecords: count(wire.inputRecords, 'input_records'),
    inputBytes: count(wire.inputBytes, 'input_bytes'),
    segments,
    part: wire.part ? stagedPartIn(wire.part) : undefined,
    spills: wire.spills,
    spillBytes: count(wire.spillBytes, 'spill_bytes'),
    bad: wire.bad ? badRecordsIn(wire.bad) : undefined,
    ...(wire.copied ? { copied: true } : {}),
  };
}

function badRecordsIn({ part, examples }: WireBadRecords): BadRecordsReport {
  if (!part) return invalid('bad records without their part');
  const shown = examples.slice(0, limits.badRecordExamplesMax);
  return {
    part: stagedPartIn(part),
    examples: shown.map((text) => text.slice(0, limits.badRecordExampleCharsMax)),
  };
}

function reduceDoneIn(wire: WireReduceDone) {
  if (!wire.part) return invalid('a finished reduce without its part');
  return {
    consumed: {
      records: count(wire.consumedRecords, 'consumed_records'),
      bytes: count(wire.consumedBytes, 'consumed_bytes'),
      crc32: wire.consumedCrc32,
    },
    reduced: {
      records: count(wire.reducedRecords, 'reduced_records'),
      bytes: count(wire.reducedBytes, 'reduced_bytes'),
    },
    part: stagedPartIn(wire.part),
    fetchMs: count(wire.fetchMs, 'fetch_ms'),
  };
}

function openPartIn({ uri, token }: { readonly uri: string; readonly token: string }): OpenPart {
  if (uri.length === 0 || uri.length > limits.uriCharsMax)
    invalid(`a part with a uri of ${uri.length} characters`);
  if (token.length === 0 || token.length > limits.partTokenCharsMax)
    invalid(`a part with a token of ${token.length} characters`);
  return { uri, token };
}

export function partOpenedIn(wire: WirePartOpened): PartOpened {
  return { attempt: attemptIdIn(wire.attempt), part: openPartIn(wire) };
}

function stagedPartIn(wire: WireStagedPart): StagedPart {
  return {
    ...openPartIn(wire),
    bytes: count(wire.bytes, 'part bytes'),
    records: count(wire.records, 'part records'),
    crc32: wire.crc32,
    columns: wire.columns,
  };
}

/** Most tasks have none, and the object is kept as long as their job. */
const noCounters: Counters = Object.freeze({});

function countersIn(wire: Record<string, number>): Counters {
  const entries = Object.entries(wire);
  if (entries.length === 0) return noCounters;
  const counters: Record<string, number> = Object.create(null);
  for (const [name, value] of entries) if (Number.isFinite(value)) counters[name] = value;
  return counters;
}

/** Stages that are not known here, of a newer worker, are left out. */
function profileIn({ stageMicros, functions }: WireProfile): Profile {
  const micros = noMicros();
  for (const stage of stages) micros[stage] = count(stageMicros[stage] ?? 0, `stage_micros of ${stage}`);
  return {
    micros,
    functions: functions.slice(0, hotFunctionsMax).map(({ name, file, line, micros: spent }) => ({
      name: name.slice(0, limits.functionNameCharsMax),
      file: file.slice(0, limits.uriCharsMax),
      line,
      micros: count(spent, 'micros of a function'),
    })),
  };
}

/** Its texts are shown, logged and kept many times over: cut to size, whoever wrote them. */
function failureIn(wire: WireFailure): AttemptFailure {
  const message = wire.message.slice(0, limits.failureCharsMax);
  const uri = wire.uri.slice(0, limits.uriCharsMax);
  switch (wire.kind) {
    case 'user-error':
      return {
        kind: wire.kind,
        message,
        name: wire.name.slice(0, 128),
        stack: wire.stack.slice(0, limits.failureCharsMax),
        where: wire.where.slice(0, 128),
        record: wire.record.slice(0, 4_096),
      };
    case 'malformed-record':
      return { kind: wire.kind, message, uri, line: wire.line, offset: wire.offset };
    case 'out-of-memory':
      return { kind: wire.kind, message, heapBytesMax: wire.heapBytesMax };
    case 'timeout':
      return { kind: wire.kind, message, idleMs: wire.idleMs };
    case 'no-space':
      return { kind: wire.kind, message, path: wire.path.slice(0, limits.uriCharsMax) };
    case 'corrupt-segment':
    case 'corrupt-copy':
      return {
        kind: wire.kind,
        message,
        map: wire.map,
        mapAttempt: wire.mapAttempt,
        worker: toWorkerId(wire.worker),
      };
    case 'fetch-refused':
      return { kind: wire.kind, message, worker: toWorkerId(wire.worker) };
    case 'input-changed':
      return { kind: wire.kind, message, uri };
    case 'bad-records':
    case 'store-failed':
    case 'cancelled':
    case 'internal':
      return { kind: wire.kind, message };
    default:
      return invalid(`failure kind ${JSON.stringify(wire.kind)}`);
  }
}

export function fetchTroubleIn(wire: WireFetchTrouble): FetchTrouble {
  return {
    attempt: attemptIdIn(wire.attempt),
    map: wire.map,
    mapAttempt: wire.mapAttempt,
    worker: wire.worker === '' ? undefined : toWorkerId(wire.worker),
    cause: fetchTroubleCauses.find((cause) => cause === wire.cause) ?? invalid(`fetch cause ${wire.cause}`),
    detail: wire.detail.slice(0, 1_000),
  };
}

export function fetchProgressIn(wire: WireFetchProgress): FetchProgress {
  const { maps, digests, complete } = wire;
  if (digests.length !== maps.length) invalid(`${maps.length} fetched maps with ${digests.length} digests`);
  return { attempt: attemptIdIn(wire.attempt), maps, digests, complete };
}

export function assignmentOut(attempt: AttemptId, input: TaskInput): WireAssignment {
  const id = attemptIdOut(attempt);
  switch (input.kind) {
    case 'sample':
      return { attempt: id, split: splitOut(input.split), sampleKeysMax: input.keysMax };
    case 'map':
      return { attempt: id, split: splitOut(input.split) };
    case 'reduce':
      return { attempt: id, maps: input.maps };
  }
}

function splitOut(split: Extract<TaskInput, { kind: 'map' }>['split']) {
  return { pieces: [...split.pieces], bytes: split.bytes };
}

/** What fits under the message limit. */
export function locationsPerMessage(reduces: number): number {
  return Math.max(1, Math.floor(100_000 / (reduces + 8)));
}

/** As many messages as it takes to stay under the message limit. */
export function locationsOut(effect: Extract<Effect, { type: 'send-locations' }>): WireLocations[] {
  const perMessage = locationsPerMessage(effect.reduces.length);
  const messages: WireLocations[] = [];
  for (let at = 0; at === 0 || at < effect.found.length; at += perMessage) {
    const found = effect.found.slice(at, at + perMessage);
    messages.push({
      jobId: effect.jobId,
      version: effect.version,
      reduces: [...effect.reduces],
      found: found.map(({ worker = '', digests, ...location }) => ({
        ...location,
        worker,
        digests: [...digests],
      })),
      lost: at === 0 ? [...effect.lost] : [],
      peers: effect.peers.map(peerOut),
    });
  }
  return messages;
}

function peerOut(peer: { workerId: WorkerId; host: string; fetchAddress: string }) {
  return { worker: peer.workerId, host: peer.host, fetchAddress: peer.fetchAddress };
}

/** A worker says what it likes: what is shown of it is cut to size. */
export function diagnosisIn(wire: WireDiagnosis): WorkerAnswer {
  const findings = wire.findings.slice(0, limits.diagnosedFindingsMax);
  return {
    id: wire.id,
    clockMs: count(wire.clockMs, 'clock_ms'),
    softwareVersion: wire.softwareVersion.slice(0, 64),
    nodeVersion: wire.nodeVersion.slice(0, 64),
    findings: findings.map(({ check, ok, detail, ms }) => ({
      check: check.slice(0, 128),
      ok,
      detail: detail.slice(0, limits.findingCharsMax),
      ms: ms >= 0 ? ms : invalid(`ms of a finding is ${ms}`),
    })),
  };
}
