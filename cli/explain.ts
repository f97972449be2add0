/** `millrace explain`: why a job failed, or what it waits for. */
import type { Command } from 'commander';
import { isTerminal } from '../lib/job-view.ts';
import { connect } from '../sdk/client.ts';
import { connectOptionsOf } from './credentials.ts';
import { addCoordinator, addJson, type ClientOptions } from './options.ts';
import { writeData, writeJson } from './output.ts';
import { explain, renderExplanation } from './render/explanation.ts';
import { stdoutPaint } from './render/style.ts';

export function define(command: Command): void {
  command.argument('<ID>', 'the id that submit printed');
  addCoordinator(command);
  addJson(command);
  command.action(async (id: string, flags: ClientOptions) => {
    await using client = connect(connectOptionsOf(flags));
    const view = await client.get(id).status();
    const workers = isTerminal(view.state) ? [] : await client.workers();
    if (flags.json) await writeJson(explain(view, workers));
    else await writeData(`${renderExplanation(view, workers, stdoutPaint()).join('\n')}\n`);
  });
}
