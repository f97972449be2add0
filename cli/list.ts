/** `millrace list`: all jobs, newest first. */
import type { Command } from 'commander';
import { connect } from '../sdk/client.ts';
import { connectOptionsOf } from './credentials.ts';
import { addCoordinator, addJson, type ClientOptions, parsePositive } from './options.ts';
import { say, writeData, writeJson } from './output.ts';
import { stdoutPaint } from './render/style.ts';
import { renderList } from './render/summary.ts';

interface ListFlags extends ClientOptions {
  readonly limit?: number;
}

export function define(command: Command): void {
  addCoordinator(command);
  command.option('--limit <N>', 'at most so many (default: 1000)', parsePositive);
  addJson(command, 'print an array');
  command.action(async (flags: ListFlags) => {
    await using client = connect(connectOptionsOf(flags));
    const views = await client.list(flags.limit === undefined ? {} : { limit: flags.limit });
    if (flags.json) await writeJson(views);
    else if (views.length === 0) say('no jobs yet');
    else await writeData(`${renderList(views, Date.now(), stdoutPaint()).join('\n')}\n`);
  });
}
