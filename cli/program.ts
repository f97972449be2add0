/** Which commands there are, and how one is run: only the file of the command that was asked for is loaded. */
import { type Command, CommanderError } from 'commander';
import { MillraceError } from '../lib/errors.ts';
import { softwareVersion } from '../lib/version.ts';
import { EnvironmentCommand } from './environment.ts';
import { Interrupted } from './interrupt.ts';
import { finish, guardStdout, say } from './output.ts';
import { renderError } from './render/error.ts';
import { stderrPaint } from './render/style.ts';

/** Each command file exports one: it adds arguments, options and the action. */
export interface CommandModule {
  define(command: Command): void;
}

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

const entries: Readonly<Record<string, Entry>> = {
  run: { summary: 'run a job here, without a server', load: () => import('./run.ts') },
  submit: { summary: 'run a job on the cluster', load: () => import('./submit.ts') },
  status: { summary: 'one job, now', load: () => import('./status.ts') },
  list: { summary: 'all jobs', load: () => import('./list.ts') },
  watch: { summary: 'follow a job to its end', load: () => import('./watch.ts') },
  results: { summary: 'print the output records of a job', load: () => import('./results.ts') },
  cancel: { summary: 'end a job', load: () => import('./cancel.ts') },
  logs: { summary: 'what the functions of a job logged', load: () => import('./logs.ts') },
  explain: { summary: 'why a job failed, or what it waits for', load: () => import('./explain.ts') },
  replay: {
    summary: 'a task of a job again, here, in a debugger if you like',
    load: () => import('./replay.ts'),
  },
  workers: { summary: 'who works, and draining one', load: () => import('./workers.ts') },
  coordinator: { summary: 'start a coordinator', load: () => import('./coordinator.ts') },
  worker: { summary: 'start a worker', load: () => import('./worker.ts') },
  certs: { summary: 'make certificates for a cluster', load: () => import('./certs.ts') },
  doctor: { summary: 'what is wrong with a cluster or a store', load: () => import('./doctor.ts') },
  dev: { summary: 'a coordinator and workers on this machine', load: () => import('./dev.ts') },
  bench: { summary: 'measures Millrace beside other systems', load: () => import('./bench.ts') },
};

const usageExitCode = 2;

/** Runs one command line and ends the process with its exit code. Never throws. */
export async function runProgram(args: readonly string[]): Promise<never> {
  guardStdout();
  let exitCode: number;
  try {
    const program = await buildProgram(args[0]);
    await program.parseAsync([...args], { from: 'user' });
    exitCode = typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (thrown) {
    exitCode = reportError(thrown);
  }
  return finish(exitCode);
}

/** The whole program for help and mistakes; options only of the command `wanted`. */
export async function buildProgram(wanted: string | undefined): Promise<Command> {
  const program = new EnvironmentCommand('millrace')
    .description('MapReduce for TypeScript')
    .version(softwareVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  for (const [name, entry] of Object.entries(entries)) {
    const command = program.command(name).description(entry.summary);
    command.helpOption('-h, --help', 'print this help').allowExcessArguments(false);
    if (name === wanted) (await entry.load()).define(command);
  }
  return program;
}

function reportError(thrown: unknown): number {
  if (thrown instanceof CommanderError) return reportUsage(thrown);
  if (thrown instanceof Interrupted) return thrown.exitCode;
  const error = MillraceError.from(thrown);
  say(renderError(error, stderrPaint()));
  return error.exitCode;
}

function reportUsage(error: CommanderError): number {
  if (error.exitCode === 0) return 0;
  if (error.code !== 'commander.help') {
    say(`${error.message}\n(run 'millrace --help', or 'millrace COMMAND --help')`);
  }
  return usageExitCode;
}
