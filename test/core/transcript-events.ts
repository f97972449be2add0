/** One line of a transcript -> one event. The terse forms are listed in transcripts.test.ts. */

import type { Event } from '../../coordinator/core/events.ts';
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import { errorCodes } from '../../lib/errors.ts';
import { type AttemptId, type JobId, parseTask, type WorkerId } from '../../lib/ids.ts';
import type { Durability, JobSpec, SegmentCounts } from '../../lib/job-spec.ts';
import type { AttemptPhase, FetchTroubleCause, MapReport } from '../../lib/reports.ts';
import { addCounts, noCounts, segmentDigest } from '../../lib/segment-digest.ts';
import { makeBadPart, makePart, makeSegment, makeSpec, makeSplits, makeUsage, makeWorker } from './make.ts';

type Happening = Event extends infer E ? (E extends Event ? Omit<E, 'now'> : never) : never;

export interface Line {
  readonly command: string;
  readonly words: readonly string[];
  readonly named: Readonly<Record<string, string>>;
}

export function parseLine(text: string): Line {
  const [command = '', ...rest] = text.trim().split(/\s+/);
  const named: Record<string, string> = {};
  const words: string[] = [];
  for (const word of rest) {
    const at = word.indexOf('=');
    if (at > 0) named[word.slice(0, at)] = word.slice(at + 1);
    else words.push(word);
  }
  return { command, words, named };
}

/** `j1/m0.0`, or with another epoch than 1: `j1/m0.0@7`. */
export function parseAttempt(text: string): AttemptId {
  const match = /^([^/]+)\/([smr]\d+)\.(\d+)(?:@(\d+))?$/.exec(text);
  const task = match && parseTask(match[2]!);
  if (!match || !task) throw new Error(`not an attempt: ${text}`);
  return { jobId: match[1] as JobId, ...task, attempt: Number(match[3]), epoch: Number(match[4] ?? 1) };
}

/** What the maps of each job made, as their last report said: a reduce consumes the sum. */
export type Made = Map<string, readonly SegmentCounts[]>;

export function toEvent(line: Line, made: Made): Happening {
  const [first = '', second = ''] = line.words;
  const workerId = first as WorkerId;
  const jobId = first as JobId;
  switch (line.command) {
    case 'tick':
      return { type: 'tick' };
    case 'submit':
      return { type: 'job-submitted', spec: specOf(line) };
    case 'splits': {
      const { bytes = '1000', hosts } = line.named;
      return {
        type: 'splits-listed',
        jobId,
        splits: makeSplits(Number(second), Number(bytes), hosts?.split(',')),
      };
    }
    case 'listing-failed':
      return { type: 'listing-failed', jobId, error: errorOf(second) };
    case 'publish-failed':
      return { type: 'publish-failed', jobId, error: errorOf(second) };
    case 'published':
      return { type: 'output-published', jobId };
    case 'discarded':
      return { type: 'output-discarded', jobId };
    case 'cancel':
      return { type: 'cancel-requested', jobId, reason: 'asked to' };
    case 'left':
      return { type: 'worker-left', workerId };
    case 'draining':
      return { type: 'worker-draining', workerId };
    case 'drain':
      return { type: 'drain-requested', workerId, reason: 'an operator asked for it' };
    case 'disconnect':
      return { type: 'worker-disconnected', workerId };
    case 'join':
      return joined(line);
    case 'started':
      return { type: 'attempts-started', workerId, attempts: second.split(',').map(parseAttempt) };
    case 'copied':
      return { type: 'maps-copied', workerId, attempts: second.split(',').map(parseAttempt) };
    case 'copies-found':
      return copiesFound(line, made);
    case 'beat':
      return beat(line);
    case 'fetched':
    case 'trouble':
      return fetching(line, made);
    default:
      return report(line, made);
  }
}

function specOf({ words, named }: Line): JobSpec {
  const { reducers = '1', priority = '0', attempts = '4', partition = 'hash', durability = 'local' } = named;
  const policy = named['on-nondeterminism'];
  const budget = named['bad-records'];
  return makeSpec(words[0]!, {
    reducers: Number(reducers),
    priority: Number(priority),
    attemptsMax: Number(attempts),
    durability: durability as Durability,
    partition: partition as JobSpec['partition'],
    ...(policy && { onNondeterminism: policy as JobSpec['onNondeterminism'] }),
    ...(budget && { maxBadRecords: { kind: 'count', records: Number(budget) } }),
  });
}

function errorOf(code: string): { code: ErrorCode; message: string; retryable: boolean } {
  const known = code as ErrorCode;
  return { code: known, message: `the store says ${code}`, retryable: errorCodes[known].retryable };
}

function joined({ words, named }: Line): Happening {
  const { slots = '2', pid = '1', host, home, running, held, replaces, jobs } = named;
  const worker = makeWorker(words[0]!, {
    slots: Number(slots),
    pid: Number(pid),
    draining: words.includes('draining'),
    ...(host && { host }),
    ...(home && { home }),
  });
  const attempts = (text?: string) => (text ? text.split(',').map(parseAttempt) : []);
  return {
    type: 'worker-joined',
    worker,
    running: attempts(running),
    held: attempts(held),
    replaces: (replaces ? replaces.split(',') : []) as WorkerId[],
    jobs: (jobs ? jobs.split(',') : []) as JobId[],
  };
}

/** Each attempt as `j1/m0.0:map:500`: phase and bytes read. Scratch in percent of what there may be. */
function beat({ words, named }: Line): Happening {
  const [workerId, ...attempts] = words;
  return {
    type: 'worker-heartbeat',
    workerId: workerId as WorkerId,
    usage: makeUsage({ scratchBytes: Number(named.scratch ?? 0), scratchBytesMax: 100 }),
    attempts: attempts.map((text) => {
      const [attempt, phase, bytes = '0'] = text.split(':');
      const nothing = { recordsIn: 0, recordsOut: 0, bytesOut: 0 };
      const bytesIn = Number(bytes);
      return { attempt: parseAttempt(attempt!), phase: phase as AttemptPhase, bytesIn, ...nothing };
    }),
  };
}

function fetching({ command, words }: Line, made: Made): Happening {
  const [workerId, attemptText, ...rest] = words;
  const attempt = parseAttempt(attemptText!);
  if (command === 'fetched') {
    const maps = rest.flatMap((word) => parseTask(word)?.index ?? []);
    const digests = maps.map((map) => {
      const segment = made.get(`${attempt.jobId}/${map}`)![attempt.index]!;
      return rest.includes('unlike') ? 0 : segmentDigest(segment);
    });
    const progress = { attempt, maps, digests, complete: rest.includes('complete') };
    return { type: 'fetch-progressed', workerId: workerId as WorkerId, progress };
  }
  const [segment = '', worker, cause] = rest;
  const map = parseAttempt(`x/${segment}`);
  const trouble = {
    attempt,
    map: map.index,
    mapAttempt: map.attempt,
    worker: worker === 'store' ? undefined : (worker as WorkerId),
    cause: cause as FetchTroubleCause,
    detail: 'no answer',
  };
  return { type: 'fetch-troubled', workerId: workerId as WorkerId, trouble };
}

function report({ command, words, named }: Line, made: Made): Happening {
  const [workerId, attemptText, ...rest] = words;
  const attempt = parseAttempt(attemptText!);
  const counters = named.counter === undefined ? {} : { seen: Number(named.counter) };
  const wrap = (
    outcome: Extract<Happening, { type: 'attempt-reported' }>['report']['outcome'],
  ): Happening => ({
    type: 'attempt-reported',
    workerId: workerId as WorkerId,
    report: { attempt, outcome, counters, again: words.includes('again') },
  });
  switch (command) {
    case 'opened':
      return {
        type: 'part-opened',
        workerId: workerId as WorkerId,
        opened: { attempt, part: rest.includes('bad') ? makeBadPart(attempt) : makePart(attempt) },
      };
    case 'sampled': {
      const keys = (named.keys ?? '').split(',').map((key) => new TextEncoder().encode(key));
      return wrap({ kind: 'sample-done', keys });
    }
    case 'mapped': {
      const records = named.segments === undefined ? [] : named.segments.split(',').map(Number);
      const segments = records.map((count) => makeSegment(count, Number(named.variant ?? 0)));
      made.set(`${attempt.jobId}/${attempt.index}`, segments);
      const part = segments.length === 0 ? makePart(attempt) : undefined;
      const copied = words.includes('copied');
      const bad = named.bad ? { part: makeBadPart(attempt, Number(named.bad)), examples: [] } : undefined;
      return wrap({ kind: 'map-done', report: { ...mapReport(segments), part, bad, copied } });
    }
    case 'reduced': {
      const consumed = named.consumed ? makeSegment(Number(named.consumed)) : consumedBy(attempt, made);
      const reduced = named.reduced ? makeSegment(Number(named.reduced)) : consumed;
      const report = { consumed, reduced, part: makePart(attempt), fetchMs: 0 };
      return wrap({ kind: 'reduce-done', report });
    }
    case 'failed':
      return wrap({ kind: 'failed', failure: failureOf(rest) });
    default:
      throw new Error(`unknown command ${command}`);
  }
}

function mapReport(segments: readonly SegmentCounts[]): MapReport {
  return { inputRecords: 10, inputBytes: 1000, segments, part: undefined, spills: 0, spillBytes: 0 };
}

/**
 * Attempts as `j1/m0.0` with who made them: `j1/m0.0=w1`. Maps that were asked for and are not among them are in `maps`; `bad` records
 * were skipped by each.
 */
function copiesFound({ words, named }: Line, made: Made): Happening {
  const { maps = '', bad: skipped, ...makers } = named;
  const copies = Object.entries(makers).map(([text, worker]) => {
    const attempt = parseAttempt(text);
    const segments = made.get(`${attempt.jobId}/${attempt.index}`)!;
    const bad = skipped ? { part: makeBadPart(attempt, Number(skipped)), examples: [] } : undefined;
    const report = { ...mapReport(segments), bad, copied: true };
    return { attempt, worker: worker as WorkerId, pieceBytes: 1, report, counters: {} };
  });
  const asked = maps.split(',').flatMap((name) => parseTask(name)?.index ?? []);
  return { type: 'copies-found', jobId: words[0] as JobId, maps: asked, copies };
}

function consumedBy({ jobId, index }: AttemptId, made: Made): SegmentCounts {
  return [...made]
    .filter(([key]) => key.startsWith(`${jobId}/`))
    .map(([, segments]) => segments[index]!)
    .reduce(addCounts, noCounts);
}

function failureOf([kind, ...rest]: readonly string[]): AttemptFailure {
  const message = rest.join(' ') || 'it did';
  switch (kind) {
    case 'user-error':
      return { kind, name: 'Error', message, stack: '', where: 'map', record: '' };
    case 'out-of-memory':
      return { kind, message, heapBytesMax: 1 };
    case 'no-space':
      return { kind, message, path: '/scratch' };
    case 'corrupt-copy':
    case 'corrupt-segment': {
      const { index, attempt } = parseAttempt(`x/${rest[0]}`);
      return { kind, message: 'crc differs', map: index, mapAttempt: attempt, worker: rest[1] as WorkerId };
    }
    case 'internal':
    case 'store-failed':
    case 'cancelled':
      return { kind, message };
    default:
      throw new Error(`unknown failure ${kind}`);
  }
}
