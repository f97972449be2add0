/** `millrace workers`: who works, and `millrace workers drain NAME`: one that is to leave. */
import type { Command } from 'commander';
import { connect } from '../sdk/client.ts';
import { connectOptionsOf } from './credentials.ts';
import { addCoordinator, addJson, type ClientOptions } from './options.ts';
import { say, writeData, writeJson } from './output.ts';
import { stdoutPaint } from './render/style.ts';
import { renderWorkers } from './render/workers.ts';

export function define(command: Command): void {
  addCoordinator(command);
  addJson(command, 'print the view of the cluster');
  command.action(list);
  // Its options are those of `workers`, which commander reads wherever they are.
  command
    .command('drain')
    .configureHelp({ showGlobalOptions: true })
    .summary('give a worker nothing new; it ends when nothing needs it any more')
    .description(
      'Gives a worker nothing new. It finishes its tasks, serves its map outputs until no reduce needs them, and ends by itself.',
    )
    .argument('<NAME>', 'its name, or a beginning of its name or host that only one worker has')
    .action(drain);
}

async function list(flags: ClientOptions): Promise<void> {
  await using client = connect(connectOptionsOf(flags));
  const view = await client.cluster();
  if (flags.json) await writeJson(view);
  else if (view.workers.length === 0) {
    say(`no worker is connected; millrace worker --coordinator ${client.address} starts one`);
  } else await writeData(`${renderWorkers(view, stdoutPaint()).join('\n')}\n`);
}

async function drain(name: string, _flags: ClientOptions, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<ClientOptions>();
  await using client = connect(connectOptionsOf(flags));
  const view = await client.drain(name);
  if (flags.json) await writeJson(view);
  else say(`${name} drains: it leaves when nothing needs it any more (millrace workers shows it until then)`);
}
