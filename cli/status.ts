/** `millrace status`: one job, now. */
import type { Command } from 'commander';
import { connect } from '../sdk/client.ts';
import { connectOptionsOf } from './credentials.ts';
import { addCoordinator, addJson, type ClientOptions } from './options.ts';
import { writeData, writeJson } from './output.ts';
import { stdoutPaint } from './render/style.ts';
import { renderStatus } from './render/summary.ts';

export function define(command: Command): void {
  command.argument('<ID>', 'the id that submit printed');
  addCoordinator(command);
  addJson(command);
  command.action(async (id: string, flags: ClientOptions) => {
    await using client = connect(connectOptionsOf(flags));
    const view = await client.get(id).status();
    if (flags.json) await writeJson(view);
    else await writeData(`${renderStatus(view, Date.now(), stdoutPaint()).join('\n')}\n`);
  });
}
