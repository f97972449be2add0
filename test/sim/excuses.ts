/** Ends that a job may have because of what was done to it, and to it alone: the faults that its cause names must have struck, often enough. */
import type { JobCause } from '../../lib/job-view.ts';
import { type FaultKind, simulated } from './faults.ts';

/** How often each kind has struck. */
export type Strikes = ReadonlyMap<FaultKind, number>;

/** By which a request to the store may stay without an answer. */
const unreachableBy: readonly FaultKind[] = ['store out of reach', 'partition', 'hosts clogged in turn'];
/** By which a worker may seem dead. */
const lostBy: readonly FaultKind[] = [
  'worker killed',
  'worker restarted',
  'worker paused',
  'partition',
  'one-way partition',
  'stream broken',
  'hosts clogged in turn',
  'leader and half of the workers killed',
];
/** By which a map output may be found missing or corrupt. */
const corruptBy: readonly FaultKind[] = [
  'run file damaged',
  'run file gone',
  'fetch byte flipped',
  'worker restarted',
  'disk vanished',
  'disk read fails',
  'leader and half of the workers killed',
];

/** Why this end is not excused; undefined when it is. */
export function unexcused(
  cause: JobCause | null,
  strikes: Strikes,
  condemnedMax: number,
): string | undefined {
  if (!cause) return 'it has no cause';
  const { code, message, failure } = cause;
  if (failure?.kind === 'worker-lost') {
    const [, deaths = ''] = /(\d+) workers died/.exec(message) ?? [];
    return tooFew(Number(deaths), lostBy, strikes);
  }
  if (/condemned \d+ times|met corrupt segments/.test(message))
    return tooFew(condemnedMax, corruptBy, strikes);
  if (code === 'cancelled') return 'nobody cancelled it';
  const kinds = [...message.matchAll(new RegExp(`${simulated}: ([^)]+)\\)`, 'g'))].map(([, kind]) => kind);
  if (kinds.length === 0) return 'no fault is in its cause';
  for (const kind of kinds) {
    const few = tooFew(1, kind === 'store out of reach' ? unreachableBy : [kind as FaultKind], strikes);
    if (few !== undefined) return few;
  }
  return undefined;
}

function tooFew(needed: number, kinds: readonly FaultKind[], strikes: Strikes): string | undefined {
  const struck = kinds.reduce((sum, kind) => sum + (strikes.get(kind) ?? 0), 0);
  return struck >= Math.max(1, needed)
    ? undefined
    : `${struck} faults of ${kinds.join(', ')} are not ${needed}`;
}
