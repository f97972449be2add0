/** `millrace run`: a job here, without a server. */
import type { Command } from 'commander';
import { followJob } from './follow-job.ts';
import { withInterrupt } from './interrupt.ts';
import {
  addHeartbeatTimeout,
  addJobOptions,
  addJson,
  addQuiet,
  addSlotMemory,
  type CommonOptions,
  type JobOptions,
  parsePositive,
  submitOptionsOf,
} from './options.ts';
import { writeJson } from './output.ts';
import { exitCodeOf, reportEnd } from './report-end.ts';
import { writeRecords } from './write-records.ts';

interface RunFlags extends CommonOptions, JobOptions {
  readonly slots?: number;
  readonly slotMemory?: string;
  readonly heartbeatTimeout?: string;
  readonly quiet?: boolean;
}

/** How long a cancelled job may take to put its output away. */
const cancelMsMax = 5_000;

export function define(command: Command): void {
  addJobOptions(command);
  command.option('--slots <N>', 'tasks at once (default: the cores)', parsePositive);
  addSlotMemory(command);
  addHeartbeatTimeout(command);
  addQuiet(command);
  addJson(command, 'with -o the final state of the job, without it each record as a line of JSON');
  command.addHelpText(
    'after',
    "\nWithout -o the output records go to stdout.\n\nExample:\n  millrace run word-count.ts -i 'logs/**/*.gz' -o out -r 4",
  );
  command.action((job: string, flags: RunFlags) => withInterrupt((signal) => run(job, flags, signal)));
}

async function run(jobFile: string, flags: RunFlags, signal: AbortSignal): Promise<void> {
  const [{ prepareJob }, { startLocal }] = await Promise.all([
    import('../sdk/prepare-job.ts'),
    import('../sdk/local.ts'),
  ]);
  submitOptionsOf(flags, flags.output ?? '.');
  const starting = startLocal(flags);
  const preparing = prepareJob(
    jobFile,
    starting.then(({ outputDir }) => submitOptionsOf(flags, flags.output ?? outputDir)),
  );
  // Reported below, when the cluster is there to be closed.
  preparing.catch(() => undefined);
  await using cluster = await starting;
  const { bundle, spec } = await preparing;
  const handle = await cluster.client.submitPrepared(bundle, spec, { signal });
  const cancelOnAbort = async (error: unknown): Promise<never> => {
    if (signal.aborted) {
      await handle.cancel();
      await handle.wait({ signal: AbortSignal.timeout(cancelMsMax) });
    }
    throw error;
  };
  const { quiet } = flags;
  const view = await Promise.race([
    followJob(handle, { signal, ...(quiet && { quiet }) }),
    cluster.failed,
  ]).catch(cancelOnAbort);
  if (view.state === 'COMPLETED' && flags.output === undefined) {
    await writeRecords(view.outputUri, { json: flags.json, signal });
  }
  if (flags.json && flags.output !== undefined) await writeJson(view);
  const showOutput = flags.output !== undefined;
  reportEnd(view, { quiet, bundleCode: bundle.code, showOutput, showCommands: false });
  process.exitCode = exitCodeOf(view);
}
