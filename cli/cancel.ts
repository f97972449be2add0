/** `millrace cancel`: ends a job; its output folder stays as it was. */
import type { Command } from 'commander';
import { connect } from '../sdk/client.ts';
import { connectOptionsOf } from './credentials.ts';
import { addCoordinator, addJson, type ClientOptions } from './options.ts';
import { say, writeJson } from './output.ts';

export function define(command: Command): void {
  command.argument('<ID>', 'the id that submit printed');
  addCoordinator(command);
  addJson(command);
  command.action(async (id: string, flags: ClientOptions) => {
    await using client = connect(connectOptionsOf(flags));
    const handle = client.get(id);
    await handle.cancel();
    const view = await handle.wait();
    if (flags.json) await writeJson(view);
    else say(`job ${view.jobId} (${view.name}) is ${view.state}`);
  });
}
