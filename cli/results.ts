/** `millrace results`: the output records of a job that completed, on stdout. */
import type { Command } from 'commander';
import { MillraceError } from '../lib/errors.ts';
import { isTerminal } from '../lib/job-view.ts';
import { connect } from '../sdk/client.ts';
import { throwUnlessCompleted } from '../sdk/handle.ts';
import { connectOptionsOf } from './credentials.ts';
import { withInterrupt } from './interrupt.ts';
import { addCoordinator, addJson, type ClientOptions, parseCount } from './options.ts';
import { writeRecords } from './write-records.ts';

interface ResultsFlags extends ClientOptions {
  readonly head?: number;
}

export function define(command: Command): void {
  command.argument('<ID>', 'the id that submit printed');
  addCoordinator(command);
  command.option('--head <N>', 'only the first N records', parseCount);
  addJson(command, 'print each record as a line of JSON');
  command.action((id: string, flags: ResultsFlags) => withInterrupt((signal) => results(id, flags, signal)));
}

async function results(id: string, flags: ResultsFlags, signal: AbortSignal): Promise<void> {
  await using client = connect(connectOptionsOf(flags));
  const view = await client.get(id).status({ signal });
  if (!isTerminal(view.state)) {
    throw new MillraceError(
      'wrong-state',
      `job ${view.jobId} has no results yet: it is ${view.state}; millrace watch ${view.jobId} shows its end`,
    );
  }
  throwUnlessCompleted(view);
  await writeRecords(view.outputUri, { json: flags.json, head: flags.head, signal });
}
