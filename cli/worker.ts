/** `millrace worker`: a worker in this process until it is told to stop. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { limits } from '../lib/limits.ts';
import type { LogLevel } from '../lib/log.ts';
import { parseBytes, parseDurationMs } from '../lib/units.ts';
import { credentialsOf } from './credentials.ts';
import { untilInterrupted } from './interrupt.ts';
import {
  addCoordinator,
  addJson,
  addLogLevel,
  addQuiet,
  addSlotMemory,
  type ClientOptions,
  checkedBy,
  parsePositive,
} from './options.ts';
import { say, writeJson } from './output.ts';

interface WorkerFlags extends ClientOptions {
  readonly slots?: number;
  readonly dir?: string;
  readonly listen: string;
  readonly advertise?: string;
  readonly failAfter?: number;
  readonly slotMemory?: string;
  readonly scratchLimit?: string;
  readonly drainTimeout?: string;
  readonly logLevel: LogLevel;
  readonly quiet?: boolean;
}

export function define(command: Command): void {
  addCoordinator(command);
  command
    .option('--slots <N>', 'tasks at once (default: the cores)', parsePositive)
    .option('--dir <SCRATCH>', 'folder for map outputs and spills (default: a temporary one)')
    .option(
      '--scratch-limit <SIZE>',
      'what may lie in that folder at once (default: what the disk has free, less 5 % of it)',
      checkedBy(parseBytes, '--scratch-limit'),
    )
    .option('--listen <HOST:PORT>', 'where other workers fetch; port 0 takes a free one', '127.0.0.1:0')
    .option('--advertise <HOST[:PORT]>', 'what other workers are told instead')
    .option(
      '--drain-timeout <DURATION>',
      'at Ctrl-C or SIGTERM, time to finish tasks and to serve map outputs; 0s hands all back at once (default: 30s)',
      checkedBy(parseDurationMs, '--drain-timeout'),
    )
    .option('--fail-after <N>', 'exit hard after N tasks; for tests', parsePositive);
  addSlotMemory(command);
  addLogLevel(command);
  addQuiet(command);
  addJson(command, 'print {"listening": HOST:PORT, "workerId": ID, "pid": N} on stdout when bound');
  command.action(work);
}

async function work(flags: WorkerFlags): Promise<void> {
  // Before anything is said: whoever reads the address may send the signal at once.
  const interrupted = untilInterrupted();
  const [{ startWorker }, { createLog }] = await Promise.all([
    import('../worker/main.ts'),
    import('../lib/log.ts'),
  ]);
  const drainTimeoutMs =
    flags.drainTimeout === undefined
      ? limits.drainTimeoutMsDefault
      : parseDurationMs(flags.drainTimeout, '--drain-timeout');
  const ownDir = flags.dir === undefined ? await mkdtemp(join(tmpdir(), 'millrace-worker-')) : undefined;
  try {
    await using worker = await startWorker({
      coordinator: flags.coordinator,
      scratchDir: flags.dir ?? ownDir ?? '',
      listen: flags.listen,
      credentials: credentialsOf(flags),
      log: createLog('worker', flags.quiet ? 'warn' : flags.logLevel),
      ...(flags.slots !== undefined && { slots: flags.slots }),
      ...(flags.advertise !== undefined && { advertise: flags.advertise }),
      ...(flags.failAfter !== undefined && { failAfter: flags.failAfter }),
      ...(flags.scratchLimit !== undefined && {
        scratchBytesMax: parseBytes(flags.scratchLimit, '--scratch-limit'),
      }),
      ...(flags.slotMemory !== undefined && {
        slotMemoryBytes: parseBytes(flags.slotMemory, '--slot-memory'),
      }),
    });
    const { fetchAddress, workerId } = worker;
    if (flags.json) await writeJson({ listening: fetchAddress, workerId, pid: process.pid });
    else
      say(
        `worker ${workerId} (process ${process.pid}) serves on ${fetchAddress}, coordinator ${flags.coordinator}`,
      );
    const drained = interrupted.then(() => {
      if (!flags.quiet && !worker.isIdle) {
        say(
          'stopping: finishes its tasks, and serves its map outputs while they are needed; Ctrl-C again to end at once',
        );
      }
      return worker.drain(drainTimeoutMs);
    });
    await Promise.race([drained, worker.ended, untilParentGone()]);
  } finally {
    if (ownDir !== undefined) await rm(ownDir, { recursive: true, force: true });
  }
}

/** A worker that `millrace dev` started ends with it, however that ended: the channel between them closes. */
function untilParentGone(): Promise<void> {
  if (!process.channel) return new Promise(() => undefined);
  return new Promise((resolve) => process.once('disconnect', resolve));
}
