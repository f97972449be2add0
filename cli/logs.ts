/** `millrace logs`: what the functions of a job logged with `ctx.log` and `console.log`. */
import type { Command } from 'commander';
import { connect } from '../sdk/client.ts';
import type { LogLine } from '../sdk/handle.ts';
import { connectOptionsOf } from './credentials.ts';
import { withInterrupt } from './interrupt.ts';
import { addCoordinator, addJson, type ClientOptions } from './options.ts';
import { writeData, writeJson } from './output.ts';

interface LogsFlags extends ClientOptions {
  readonly task?: string;
  readonly follow?: boolean;
}

export function define(command: Command): void {
  command.argument('<ID>', 'the id that submit printed');
  addCoordinator(command);
  command
    .option('--task <TASK>', 'only of this task, such as m3 or r0')
    .option('-f, --follow', 'stay until the job has ended');
  addJson(command, 'print each line as a line of JSON');
  command.action((id: string, flags: LogsFlags) => withInterrupt((signal) => logs(id, flags, signal)));
}

async function logs(id: string, flags: LogsFlags, signal: AbortSignal): Promise<void> {
  await using client = connect(connectOptionsOf(flags));
  for await (const line of client.get(id).logs({ task: flags.task, follow: flags.follow, signal })) {
    if (!(await (flags.json ? writeJson(line) : writeData(`${renderLogLine(line)}\n`)))) return;
  }
}

/** `2026-11-21T10:00:00.000Z m3.0 text`. */
export function renderLogLine(line: LogLine): string {
  const attempt = line.task === '' ? '-' : `${line.task}.${line.attempt}`;
  return `${new Date(line.atMs).toISOString()} ${attempt} ${line.text}`;
}
