/** The coordinator's options, compiled once at start: checked, with defaults filled in and units in the names. */
import { type Address, parseAddress, requireLoopback } from '../lib/address.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { limits } from '../lib/limits.ts';
import { createLog, type Log } from '../lib/log.ts';

export interface CoordinatorOptions {
  /** HOST:PORT of the gRPC port; port 0 takes a free one. */
  readonly listen: string;
  /** HOST:PORT of the HTTP port; none when missing. */
  readonly http?: string;
  /** Where job files and the journal go: `file:///dir/`, or `mem://name/` for tests. */
  readonly storeUri: string;
  /** A worker that is silent for so long is dead; it says a heartbeat three times in that time. */
  readonly heartbeatTimeoutMs?: number;
  /** No backup attempt for a task younger than this. */
  readonly backupMinRuntimeMs?: number;
  readonly log?: Log;
  readonly clock?: Clock;
  /** Checks every invariant after every step; for tests. */
  readonly checkInvariants?: boolean;
}

export interface CoordinatorConfig {
  readonly listen: Address;
  readonly http: Address | undefined;
  /** With a trailing slash. */
  readonly storeUri: string;
  readonly heartbeatTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly backupMinRuntimeMs: number | undefined;
  readonly tickIntervalMs: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly checkInvariants: boolean;
}

/** Throws `invalid-argument` for an address that is none, `permission-denied` for one beyond loopback. */
export function compileConfig(options: CoordinatorOptions): CoordinatorConfig {
  const heartbeatTimeoutMs = options.heartbeatTimeoutMs ?? limits.heartbeatTimeoutMsDefault;
  return {
    listen: loopbackAddress(options.listen, '--listen'),
    http: options.http === undefined ? undefined : loopbackAddress(options.http, '--http'),
    storeUri: options.storeUri.endsWith('/') ? options.storeUri : `${options.storeUri}/`,
    heartbeatTimeoutMs,
    // Three heartbeats fit in the time after which a silent worker is dead.
    heartbeatIntervalMs: Math.min(limits.heartbeatIntervalMsDefault, Math.ceil(heartbeatTimeoutMs / 3.3)),
    backupMinRuntimeMs: options.backupMinRuntimeMs,
    tickIntervalMs: Math.min(1_000, heartbeatTimeoutMs / 4),
    log: options.log ?? createLog('coordinator', 'silent'),
    clock: options.clock ?? systemClock,
    checkInvariants: options.checkInvariants ?? false,
  };
}

function loopbackAddress(text: string, setting: string): Address {
  const address = parseAddress(text, setting);
  requireLoopback(address, setting);
  return address;
}
