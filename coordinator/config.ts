/** The coordinator's options, compiled once at start: checked, with defaults filled in and units in the names. */
import { type Address, isLoopback, parseAddress } from '../lib/address.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { limits } from '../lib/limits.ts';
import { createLog, type Log } from '../lib/log.ts';
import { checkExposure } from '../lib/security/exposure.ts';
import { compileGuard, type Guard, type GuardOptions } from '../lib/security/guard.ts';
import { tlsSettings } from '../lib/security/tls.ts';
import { parseUri } from '../lib/store/uri.ts';
import type { AllowedUris } from './allowed-uris.ts';

export interface CoordinatorOptions {
  /** HOST:PORT of the gRPC port; port 0 takes a free one. */
  readonly listen: string;
  /** HOST:PORT of the HTTP port; none when missing. */
  readonly http?: string;
  /** Where job files and the journal go: `file:///dir/`, `s3://bucket/prefix/`, or `mem://name/` for tests. */
  readonly storeUri: string;
  /** A worker that is silent for so long is dead; it says a heartbeat three times in that time. */
  readonly heartbeatTimeoutMs?: number;
  /** A leader that does not renew its lead for so long is followed by a standby; default the heartbeat timeout. */
  readonly leaseMs?: number;
  /** No backup attempt for a task younger than this. */
  readonly backupMinRuntimeMs?: number;
  /**
   * Beginnings of the URIs that jobs may name as input and output; default every one, but no files when `listen` is beyond loopback.
   */
  readonly allow?: readonly string[];
  /** What callers must show; nothing, the default, is for loopback only. */
  readonly security?: GuardOptions;
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
  readonly leaseMs: number;
  readonly backupMinRuntimeMs: number | undefined;
  readonly tickIntervalMs: number;
  readonly guard: Guard;
  readonly allowedUris: AllowedUris;
  readonly log: Log;
  readonly clock: Clock;
  readonly checkInvariants: boolean;
}

/**
 * Throws `invalid-argument` for an address that is none and for credentials that are not what they should be, `permission-denied` for
 * an address beyond loopback without credentials.
 */
export function compileConfig(options: CoordinatorOptions): CoordinatorConfig {
  const guard = compileGuard(options.security);
  const log = options.log ?? createLog('coordinator', 'silent');
  const listen = guardedAddress(options.listen, '--listen', guard, log);
  const storeUri = options.storeUri.endsWith('/') ? options.storeUri : `${options.storeUri}/`;
  for (const prefix of options.allow ?? []) parseUri(prefix);
  const heartbeatTimeoutMs = options.heartbeatTimeoutMs ?? limits.heartbeatTimeoutMsDefault;
  return {
    listen,
    http: options.http === undefined ? undefined : guardedAddress(options.http, '--http', guard, log),
    storeUri,
    heartbeatTimeoutMs,
    // Three heartbeats fit in the time after which a silent worker is dead.
    heartbeatIntervalMs: Math.min(limits.heartbeatIntervalMsDefault, Math.ceil(heartbeatTimeoutMs / 3.3)),
    leaseMs: options.leaseMs ?? heartbeatTimeoutMs,
    backupMinRuntimeMs: options.backupMinRuntimeMs,
    tickIntervalMs: Math.min(1_000, heartbeatTimeoutMs / 4),
    guard,
    allowedUris: { prefixes: options.allow, files: isLoopback(listen.host), storeUri },
    log,
    clock: options.clock ?? systemClock,
    checkInvariants: options.checkInvariants ?? false,
  };
}

const remedy = `MILLRACE_CLIENT_TOKEN and MILLRACE_WORKER_TOKEN (--client-token-file, --worker-token-file), or ${tlsSettings}`;

function guardedAddress(text: string, setting: string, guard: Guard, log: Log): Address {
  const address = parseAddress(text, setting);
  const warning = checkExposure(address, setting, guard, remedy);
  if (warning) log.warn(warning);
  return address;
}
