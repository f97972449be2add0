/** `millrace watch`: a job to its end; the exit code is that of the job. */
import type { Command } from 'commander';
import type { JobView } from '../lib/job-view.ts';
import { connect } from '../sdk/client.ts';
import { connectOptionsOf } from './credentials.ts';
import { followJob } from './follow-job.ts';
import { withInterrupt } from './interrupt.ts';
import { addCoordinator, addJson, addQuiet, type ClientOptions } from './options.ts';
import { writeJson } from './output.ts';
import { exitCodeOf, reportEnd } from './report-end.ts';

interface WatchFlags extends ClientOptions {
  readonly quiet?: boolean;
}

export function define(command: Command): void {
  command.argument('<ID>', 'the id that submit printed');
  addCoordinator(command);
  addQuiet(command);
  addJson(command, 'print each state as a line of JSON');
  command.action((id: string, flags: WatchFlags) => withInterrupt((signal) => watch(id, flags, signal)));
}

async function watch(id: string, flags: WatchFlags, signal: AbortSignal): Promise<void> {
  await using client = connect(connectOptionsOf(flags));
  const quiet = flags.quiet ?? flags.json ?? false;
  const seen = (view: JobView) => {
    if (flags.json) void writeJson(view);
  };
  const view = await followJob(client.get(id), { signal, quiet, seen });
  reportEnd(view, { quiet, showOutput: true, showCommands: true });
  process.exitCode = exitCodeOf(view);
}
