/** `millrace dev`: a coordinator in this process and workers in processes of their own, until Ctrl-C. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { MillraceError } from '../lib/errors.ts';
import { fileUri } from '../lib/store/uri.ts';
import { parseDurationMs } from '../lib/units.ts';
import { coordinatorDefault } from '../sdk/client.ts';
import { httpDefault } from './coordinator.ts';
import { untilInterrupted } from './interrupt.ts';
import {
  addHeartbeatTimeout,
  addJson,
  addQuiet,
  addSlotMemory,
  type CommonOptions,
  parsePositive,
} from './options.ts';
import { say, writeJson } from './output.ts';
import { storeUriOf } from './store-uri.ts';

interface DevFlags extends CommonOptions {
  readonly workers: number;
  readonly slots?: number;
  readonly store?: string;
  readonly listen: string;
  readonly http: string;
  readonly heartbeatTimeout?: string;
  readonly slotMemory?: string;
  readonly quiet?: boolean;
}

/** What a worker says of itself. */
interface WorkerLine {
  readonly listening: string;
  readonly workerId: string;
  readonly pid: number;
}

const workersDefault = 2;
/** The environment may be set up for a cluster; here all is on loopback, and asks for no credentials. */
const ofOtherClusters = /^MILLRACE_(ADVERTISE|FAIL_AFTER|TLS_.*|(.*_)?TOKEN(_FILE)?)$/;
/** A worker that does not end by itself in so long is killed. */
const goodbyeMsMax = 5_000;

export function define(command: Command): void {
  command
    .option('--workers <N>', 'worker processes', parsePositive, workersDefault)
    .option('--slots <N>', 'tasks at once per worker (default: the cores, shared out)', parsePositive)
    .option(
      '--store <URL>',
      'job files and journal: file:///dir or s3://bucket/prefix (default: a temporary folder)',
    )
    .option('--listen <HOST:PORT>', 'gRPC; port 0 takes a free one', coordinatorDefault)
    .option('--http <HOST:PORT>', 'health checks; port 0 takes a free one', httpDefault);
  addHeartbeatTimeout(command);
  addSlotMemory(command);
  addQuiet(command);
  addJson(command, 'print one line with all addresses when everything runs');
  command.action(dev);
}

async function dev(flags: DevFlags): Promise<void> {
  const [{ startCoordinator }, { createLog }] = await Promise.all([
    import('../coordinator/main.ts'),
    import('../lib/log.ts'),
  ]);
  const interrupted = untilInterrupted();
  const folder = await mkdtemp(join(tmpdir(), 'millrace-dev-'));
  const children: ChildProcess[] = [];
  try {
    await using coordinator = await startCoordinator({
      listen: flags.listen,
      http: flags.http,
      storeUri: flags.store === undefined ? fileUri(`${folder}/store/`) : storeUriOf(flags.store),
      // Only what a person should look at: the addresses shall stay in sight.
      log: createLog('coordinator', 'warn'),
      ...(flags.heartbeatTimeout !== undefined && {
        heartbeatTimeoutMs: parseDurationMs(flags.heartbeatTimeout, '--heartbeat-timeout'),
      }),
    });
    try {
      const starting = Array.from({ length: flags.workers }, (_, i) =>
        startChild(children, workerArgs(flags, coordinator.address, join(folder, `worker-${i}`))),
      );
      const workers = await Promise.race([Promise.all(starting), interrupted]);
      if (!workers) return;
      await announce(flags, coordinator, workers);
      await Promise.race([interrupted, coordinator.failed]);
    } finally {
      await Promise.all(children.map(endChild));
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function workerArgs(flags: DevFlags, coordinator: string, scratchDir: string): string[] {
  const slots = flags.slots ?? Math.max(1, Math.floor(availableParallelism() / flags.workers));
  return [
    'worker',
    ...[
      '--coordinator',
      coordinator,
      '--listen',
      '127.0.0.1:0',
      '--dir',
      scratchDir,
      '--slots',
      String(slots),
    ],
    ...(flags.slotMemory === undefined ? [] : ['--slot-memory', flags.slotMemory]),
    // Its coordinator ends with it: there is nothing to drain for.
    ...['--drain-timeout', '0s', '--quiet', '--json'],
  ];
}

/** Resolves when the worker serves; throws when it ends before. */
async function startChild(children: ChildProcess[], args: readonly string[]): Promise<WorkerLine> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofOtherClusters.test(name)));
  // In a group of its own a Ctrl-C of the terminal reaches this process only, which then ends the workers in order.
  const child = fork(mainFile(), args, { env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'], detached: true });
  children.push(child);
  const exited = once(child, 'exit').then(([code, signal]) => {
    throw new MillraceError(
      'unavailable',
      `a worker ended while it started (${signal ?? `exit code ${code}`})`,
    );
  });
  exited.catch(() => undefined);
  if (!child.stdout) throw new MillraceError('internal', 'a worker has no stdout');
  const line = once(createInterface({ input: child.stdout }), 'line');
  const [text] = (await Promise.race([line, exited])) as [string];
  const said = JSON.parse(text) as WorkerLine;
  child.once('exit', (code, signal) => {
    say(`worker ${said.workerId} (process ${said.pid}) ended: ${signal ?? `exit code ${code}`}`);
  });
  return said;
}

function mainFile(): string {
  return fileURLToPath(import.meta.url).replace(/dev(\.[jt]s)$/, 'main$1');
}

async function announce(
  flags: DevFlags,
  coordinator: { readonly address: string; readonly httpAddress: string | undefined },
  workers: readonly WorkerLine[],
): Promise<void> {
  const { address, httpAddress } = coordinator;
  if (flags.json) {
    await writeJson({ listening: address, http: httpAddress, workers });
    return;
  }
  if (flags.quiet) return;
  say(`coordinator  ${address}   http ${httpAddress}   process ${process.pid}`);
  for (const { listening, workerId, pid } of workers)
    say(`worker       ${listening}   ${workerId}   process ${pid}`);
  const flag = address === coordinatorDefault ? '' : ` --coordinator ${address}`;
  say(`\nsubmit       millrace submit JOB.ts -i PATTERN -o FOLDER${flag}\nstop         Ctrl-C`);
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.removeAllListeners('exit');
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), goodbyeMsMax);
  await exited;
  clearTimeout(timer);
}
