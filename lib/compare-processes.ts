/** Findings about a client or a worker beside its coordinator. */
import type { Finding } from './diagnosis.ts';
import { limits } from './limits.ts';
import { formatDurationMs } from './units.ts';

export function compareVersions(version: string, ofCoordinator: string): Finding {
  const ok = version === ofCoordinator;
  const detail = ok
    ? `millrace ${version}, as the coordinator`
    : `millrace ${version}, and the coordinator is ${ofCoordinator}: install the same version on both`;
  return { check: 'version', ok, detail, ms: 0 };
}

/** `aheadMs` includes the time that the answer was on the wire, which a limit of seconds bears. */
export function compareClocks(aheadMs: number): Finding {
  const ok = Math.abs(aheadMs) <= limits.clockSkewMsMax;
  const max = formatDurationMs(limits.clockSkewMsMax);
  const skew = `${formatDurationMs(Math.abs(aheadMs))} ${aheadMs < 0 ? 'behind' : 'ahead of'} the coordinator's clock`;
  const detail = ok
    ? `within ${max} of the coordinator's clock`
    : `${skew}, more than ${max}: set both by NTP; with some minutes more, requests to S3 are refused`;
  return { check: 'clock', ok, detail, ms: 0 };
}
