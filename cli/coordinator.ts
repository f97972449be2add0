/** `millrace coordinator`: a coordinator in this process until it is told to stop. */
import type { Command } from 'commander';
import type { LogLevel } from '../lib/log.ts';
import { parseDurationMs } from '../lib/units.ts';
import { coordinatorDefault } from '../sdk/client.ts';
import { addGuard, type GuardFlags, guardOf } from './credentials.ts';
import { untilInterrupted } from './interrupt.ts';
import {
  addHeartbeatTimeout,
  addJson,
  addLogLevel,
  addQuiet,
  type CommonOptions,
  checkedBy,
} from './options.ts';
import { say, writeJson } from './output.ts';
import { storeUriOf } from './store-uri.ts';

export const httpDefault = '127.0.0.1:7451';

interface CoordinatorFlags extends CommonOptions, GuardFlags {
  readonly listen: string;
  readonly http: string;
  readonly store: string;
  readonly heartbeatTimeout?: string;
  readonly lease?: string;
  readonly backupAfter?: string;
  readonly allow?: readonly string[];
  readonly logLevel: LogLevel;
  readonly quiet?: boolean;
}

export function define(command: Command): void {
  command
    .option('--listen <HOST:PORT>', 'gRPC; port 0 takes a free one', coordinatorDefault)
    .option('--http <HOST:PORT>', 'health checks; port 0 takes a free one', httpDefault)
    .requiredOption('--store <URL>', 'job files and journal: file:///dir or s3://bucket/prefix');
  command.option(
    '--allow <URI...>',
    'beginnings of what jobs may read and write; repeatable (default: everything, but no files when --listen is not on loopback)',
    collectUris,
  );
  addHeartbeatTimeout(command);
  command.option(
    '--lease <DURATION>',
    'a leader that says nothing for so long is followed by a standby (default: as --heartbeat-timeout)',
    checkedBy(parseDurationMs, '--lease'),
  );
  command.option(
    '--backup-after <DURATION|never>',
    'no second attempt of a slow task that is younger than this (default: 10s)',
    checkedBy(backupMinRuntimeOf, '--backup-after'),
  );
  addGuard(command);
  addLogLevel(command);
  addQuiet(command);
  addJson(command, 'print {"listening": HOST:PORT, "http": HOST:PORT} on stdout when bound');
  command.action(serve);
}

async function serve(flags: CoordinatorFlags): Promise<void> {
  // Before anything is said: whoever reads the address may send the signal at once.
  const stopped = untilInterrupted();
  const [{ startCoordinator }, { createLog }] = await Promise.all([
    import('../coordinator/main.ts'),
    import('../lib/log.ts'),
  ]);
  await using coordinator = await startCoordinator({
    listen: flags.listen,
    http: flags.http,
    security: guardOf(flags),
    ...(flags.allow && { allow: flags.allow }),
    storeUri: storeUriOf(flags.store),
    log: createLog('coordinator', flags.quiet ? 'warn' : flags.logLevel),
    ...(flags.heartbeatTimeout !== undefined && {
      heartbeatTimeoutMs: parseDurationMs(flags.heartbeatTimeout, '--heartbeat-timeout'),
    }),
    ...(flags.lease !== undefined && { leaseMs: parseDurationMs(flags.lease, '--lease') }),
    ...(flags.backupAfter !== undefined && {
      backupMinRuntimeMs: backupMinRuntimeOf(flags.backupAfter, '--backup-after'),
    }),
  });
  const { address, httpAddress } = coordinator;
  if (flags.json) await writeJson({ listening: address, http: httpAddress });
  else say(`coordinator listens on ${address}, http on ${httpAddress}`);
  await Promise.race([stopped, coordinator.failed]);
}

function backupMinRuntimeOf(text: string, setting: string): number {
  return text === 'never' ? Number.POSITIVE_INFINITY : parseDurationMs(text, setting);
}

/** Repeated, or several in MILLRACE_ALLOW with spaces between them: a URI has none. */
function collectUris(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(/\s+/).filter(Boolean)];
}
