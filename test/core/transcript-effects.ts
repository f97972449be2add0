/** What a step decided, as lines of a transcript: every field that matters, nothing else. */
import type { Effect, PersistRecord, TaskInput } from '../../coordinator/core/effects.ts';
import { type AttemptId, formatAttempt, formatTask } from '../../lib/ids.ts';
import type { JobEvent } from '../../lib/job-event.ts';
import type { OpenPart } from '../../lib/job-spec.ts';

export function formatPersist(record: PersistRecord): string {
  switch (record.type) {
    case 'job-accepted':
      return `persist job-accepted ${record.spec.jobId}`;
    case 'job-planned':
      return `persist job-planned ${record.jobId} splits=${record.splits.length}`;
    case 'job-sampled':
      return `persist job-sampled ${record.jobId} cuts=${record.cutPoints.length}`;
    case 'job-started':
      return `persist job-started ${record.jobId}`;
    case 'job-stopping':
      return `persist job-stopping ${record.jobId} ${record.outcome.state}: ${record.outcome.cause.message}`;
    case 'worker-joined':
    case 'worker-gone':
      return `persist ${record.type} ${record.workerId}`;
    case 'part-opened':
      return `persist part-opened ${nameOf(record.attempt)} ${record.part.token}`;
    case 'part-accepted':
      return `persist part-accepted ${nameOf(record.attempt)} ${record.part.token}`;
    case 'part-revoked':
      return `persist part-revoked ${nameOf(record.attempt)}: ${record.reason}`;
    case 'task-charged': {
      const { failures, deaths, sentBack } = record.charges;
      return `persist task-charged ${record.jobId}/${formatTask(record.task)} failures=${failures} deaths=${deaths.join(',')}${sentBack > 0 ? ` sent-back=${sentBack}` : ''}`;
    }
    case 'attempt-failed':
      return `persist attempt-failed ${record.jobId}/${record.failed.task}.${record.failed.attempt}`;
    case 'map-differed':
      return `persist map-differed ${record.jobId} ${JSON.stringify(record.difference)}`;
    case 'job-committing':
      return `persist job-committing ${record.jobId}`;
    case 'job-ended':
      return `persist job-ended ${record.jobId} ${record.state}${record.cause ? ` ${record.cause.code}, task ${record.cause.task}: ${record.cause.message}` : ''}`;
  }
}

export function formatEffect(effect: Effect): string {
  switch (effect.type) {
    case 'send-welcome':
    case 'send-rejoin':
    case 'send-drain':
    case 'send-drained':
      return `${effect.workerId} <- ${effect.type.slice(5)}`;
    case 'send-assignment':
      return `${effect.workerId} <- assign ${nameOf(effect.attempt)} ${formatInput(effect.input)}${cuts(effect.job.cutPoints)}`;
    case 'send-cancel':
      return `${effect.workerId} <- cancel ${nameOf(effect.attempt)}: ${effect.reason}`;
    case 'send-locations':
      return `${effect.workerId} <- locations ${effect.jobId} v${effect.version} ${formatLocations(effect)}`;
    case 'send-answer':
      return `${effect.workerId} <- answer ${nameOf(effect.attempt)} ${effect.accepted ? 'accepted' : 'refused'}`;
    case 'send-job-ended':
      return `${effect.workerId} <- job-ended ${effect.jobId}`;
    case 'list-splits':
      return `list-splits ${effect.spec.jobId}`;
    case 'find-copies':
      return `find-copies ${effect.spec.jobId} ${effect.maps.map((map) => `m${map}`).join(',')}`;
    case 'publish-output':
      return `publish-output ${effect.spec.jobId} parts=${tokens(effect.parts)} discards=${tokens(effect.discards)} ${JSON.stringify(effect.success)}`;
    case 'discard-output':
      return `discard-output ${effect.spec.jobId} parts=${tokens(effect.parts)}`;
    case 'keep-map-outputs':
      return `keep-map-outputs ${effect.spec.jobId} ${effect.outputs.map((line) => `${line.task}.${line.attempt}@${line.worker}`).join(',')}`;
    case 'discard-part':
      return `discard-part ${effect.spec.jobId} ${effect.part.token}`;
    case 'job-event':
      return formatJobEvent(effect.event);
    case 'worker-lost':
      return `worker-lost ${effect.reason}`;
    case 'job-changed':
      return `changed ${effect.jobId}`;
    case 'say':
      return `say ${effect.level} ${effect.about.job ?? '-'}: ${effect.text}`;
  }
}

function formatJobEvent({ atMs, jobId, type, ...rest }: JobEvent): string {
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `event ${atMs} ${jobId} ${type} ${fields.join(' ')}`;
}

function nameOf(id: AttemptId): string {
  return `${id.jobId}/${formatAttempt(id)}${id.epoch === 1 ? '' : `@${id.epoch}`}`;
}

function formatInput(input: TaskInput): string {
  if (input.kind === 'reduce') return `maps=${input.maps}`;
  const pieces = input.split.pieces.map(({ uri, start, end }) => `${uri}[${start},${end})`);
  return pieces.join('+');
}

function cuts(cutPoints: readonly Uint8Array[]): string {
  if (cutPoints.length === 0) return '';
  return ` cuts=${cutPoints.map((key) => new TextDecoder().decode(key)).join(',')}`;
}

function formatLocations(effect: Extract<Effect, { type: 'send-locations' }>): string {
  const { reduces, found, lost, peers } = effect;
  const parts = [`reduces=${reduces.map((reduce) => `r${reduce}`).join(',')}`];
  if (found.length > 0)
    parts.push(`found=${found.map((l) => `m${l.map}.${l.attempt}@${l.worker ?? 'store'}`).join(',')}`);
  if (lost.length > 0) parts.push(`lost=${lost.map((map) => `m${map}`).join(',')}`);
  if (peers.length > 0) parts.push(`peers=${peers.map((peer) => peer.workerId).join(',')}`);
  return parts.join(' ');
}

function tokens(parts: readonly OpenPart[]): string {
  return `[${parts.map((part) => part.token).join(',')}]`;
}
