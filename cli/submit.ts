/** `millrace submit`: a job to the cluster; the id on stdout, progress and outcome on stderr. */
import { type Command, Option } from 'commander';
import { MillraceError } from '../lib/errors.ts';
import { connect } from '../sdk/client.ts';
import { connectOptionsOf } from './credentials.ts';
import { followJob } from './follow-job.ts';
import { withInterrupt } from './interrupt.ts';
import {
  addCoordinator,
  addJobOptions,
  addJson,
  addQuiet,
  type ClientOptions,
  type JobOptions,
  parseInteger,
  submitOptionsOf,
} from './options.ts';
import { say, writeData, writeJson } from './output.ts';
import { exitCodeOf, reportEnd } from './report-end.ts';

interface SubmitFlags extends ClientOptions, JobOptions {
  readonly priority?: number;
  readonly detach?: boolean;
  readonly quiet?: boolean;
}

export function define(command: Command): void {
  addJobOptions(command);
  addCoordinator(command);
  command
    .addOption(new Option('--priority <N>', '-1000 to 1000, higher first').argParser(parseInteger).default(0))
    .option('-d, --detach', 'print the id and return; the job goes on');
  addQuiet(command);
  addJson(command, 'a line of JSON with the id, then the final state of the job');
  command.addHelpText(
    'after',
    "\nCtrl-C leaves the job running.\n\nExample:\n  millrace submit word-count.ts -i 's3://logs/2026/*.gz' -o s3://out/words --priority 10",
  );
  command.action((job: string, flags: SubmitFlags) => withInterrupt((signal) => submit(job, flags, signal)));
}

async function submit(jobFile: string, flags: SubmitFlags, signal: AbortSignal): Promise<void> {
  if (flags.output === undefined) {
    throw new MillraceError('invalid-argument', 'no output: give -o FOLDER or -o s3://bucket/prefix');
  }
  const options = submitOptionsOf(flags, flags.output);
  const { prepareJob } = await import('../sdk/prepare-job.ts');
  const { bundle, spec } = await prepareJob(jobFile, { ...options, priority: flags.priority ?? 0 });
  await using client = connect(connectOptionsOf(flags));
  const handle = await client.submitPrepared(bundle, spec, { signal });
  await (flags.json ? writeJson({ jobId: handle.id }) : writeData(`${handle.id}\n`));
  if (flags.detach) return;
  const { quiet } = flags;
  const sayItGoesOn = (error: unknown): never => {
    say(`job ${handle.id} goes on; millrace watch ${handle.id} · millrace cancel ${handle.id}`);
    throw error;
  };
  const view = await followJob(handle, { signal, ...(quiet && { quiet }) }).catch(sayItGoesOn);
  if (flags.json) await writeJson(view);
  reportEnd(view, { quiet, bundleCode: bundle.code, showOutput: true, showCommands: true });
  process.exitCode = exitCodeOf(view);
}
