/** Options that several commands share, and how their text is read. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseBadRecordBudget } from '../lib/bad-records.ts';
import { MillraceError } from '../lib/errors.ts';
import {
  type Durability,
  durabilities,
  type IfExists,
  type NonDeterminismPolicy,
  nonDeterminismPolicies,
} from '../lib/job-spec.ts';
import { limits } from '../lib/limits.ts';
import type { LogLevel } from '../lib/log.ts';
import { parseBytes, parseDurationMs } from '../lib/units.ts';
import { coordinatorDefault } from '../sdk/client.ts';
import type { SubmitOptions } from '../sdk/submit-options.ts';
import { addCredentials, type CredentialFlags } from './credentials.ts';

export interface CommonOptions {
  readonly json?: boolean;
}

export interface ClientOptions extends CommonOptions, CredentialFlags {
  readonly coordinator: string;
}

export interface JobOptions {
  readonly input?: readonly string[];
  readonly output?: string;
  readonly reducers?: number;
  readonly splitSize?: string;
  readonly maps?: number;
  readonly param?: Readonly<Record<string, string>>;
  readonly maxAttempts?: number;
  readonly taskTimeout?: string;
  readonly maxBadRecords?: string;
  readonly durability?: Durability;
  readonly onNondeterminism?: NonDeterminismPolicy;
  readonly ifExists?: IfExists;
  readonly profile?: boolean;
}

export function parseInteger(text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}

export function parseCount(text: string): number {
  const count = parseInteger(text);
  if (count >= 0) return count;
  throw new InvalidArgumentError('Expected a whole number of at least 0.');
}

export function parsePositive(text: string): number {
  const count = parseInteger(text);
  if (count >= 1) return count;
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}

/** Checked now, handed on as text: the message of units.ts says what is accepted. */
export function checkedBy(parse: (text: string, what: string) => unknown, flag: string) {
  return (text: string): string => {
    parse(text, flag);
    return text;
  };
}

/** Repeated `--param k=v`; MILLRACE_PARAM holds one. */
export function collectParam(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('Expected NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

export function addJson(command: Command, what = 'print JSON'): void {
  command.option('--json', `${what} (docs/cli-json.md)`);
}

export function addQuiet(command: Command): void {
  command.option('-q, --quiet', 'no progress and no summary, only errors');
}

/** Of a program's own log; `--quiet` is `warn`. */
export function addLogLevel(command: Command): void {
  const levels: readonly LogLevel[] = ['debug', 'info', 'warn'];
  command.addOption(
    new Option('--log-level <LEVEL>', 'the least that is logged').choices(levels).default('info'),
  );
}

export function addCoordinator(command: Command): void {
  command.option(
    '--coordinator <HOST:PORT,...>',
    'where the coordinator listens; with a standby both, and the one that leads is found',
    coordinatorDefault,
  );
  addCredentials(command);
}

/** `run` and `submit` take the same ones. */
export function addJobOptions(command: Command): void {
  command
    .argument('<JOB>', 'the job file: .ts, .mts, .js or .mjs with a default export')
    .option('-i, --input <PATTERN...>', 'path, glob, folder or s3://bucket/prefix; repeatable')
    .option('-o, --output <PLACE>', 'the folder, or s3://bucket/prefix, of the output objects')
    .option(
      '-r, --reducers <N>',
      "partitions, and so output objects; 0 is a map-only job (default: the job's, else 4)",
      parseCount,
    )
    .option(
      '--split-size <SIZE>',
      `wanted input per map task, such as 64MiB`,
      checkedBy(parseBytes, '--split-size'),
    )
    .addOption(
      new Option('--maps <N>', 'wanted number of map tasks').argParser(parsePositive).conflicts('splitSize'),
    )
    .option('--param <NAME=VALUE>', 'a parameter of the job; repeatable', collectParam)
    .option(
      '--max-attempts <N>',
      `attempts of one task (default: ${limits.attemptsMaxDefault})`,
      parsePositive,
    )
    .option(
      '--task-timeout <DURATION>',
      'stop a task that reads, writes and reports nothing for so long (default: 10m)',
      checkedBy(parseDurationMs, '--task-timeout'),
    )
    .option(
      '--max-bad-records <N|RATE%>',
      'skip up to so many records that are malformed or make map throw, into _bad/ of the output (default: 0)',
      checkedBy(parseBadRecordBudget, '--max-bad-records'),
    )
    .addOption(
      new Option(
        '--durability <WHERE>',
        'copy map output to the store, so that a lost worker costs no rerun: local never does, async after each map, sync before it counts (default: local)',
      ).choices(durabilities),
    )
    .addOption(
      new Option(
        '--on-nondeterminism <WHAT>',
        'when a map that ran twice made different things (default: rerun-reduces)',
      ).choices(nonDeterminismPolicies),
    )
    .addOption(
      new Option('--if-exists <WHAT>', 'when the output folder has objects already')
        .choices(['fail', 'replace', 'append'])
        .default('fail'),
    )
    .option('--profile', 'say where the time went, by stage and by function of the job');
}

export function addSlotMemory(command: Command): void {
  command.option(
    '--slot-memory <SIZE>',
    'JavaScript heap of each slot, such as 512MiB (default: 320MiB)',
    checkedBy(parseBytes, '--slot-memory'),
  );
}

export function addHeartbeatTimeout(command: Command): void {
  command.option(
    '--heartbeat-timeout <DURATION>',
    'a worker that is silent for so long is dead (default: 10s)',
    checkedBy(parseDurationMs, '--heartbeat-timeout'),
  );
}

/** Throws `invalid-argument` when there is no input. */
export function submitOptionsOf(options: JobOptions, output: string): SubmitOptions {
  if (!options.input || options.input.length === 0) {
    throw new MillraceError(
      'invalid-argument',
      'no input: give -i PATTERN (a path, glob, folder or s3://bucket/prefix)',
    );
  }
  return {
    input: options.input,
    output,
    ...(options.reducers !== undefined && { reducers: options.reducers }),
    ...(options.splitSize !== undefined && { splitSize: options.splitSize }),
    ...(options.maps !== undefined && { maps: options.maps }),
    ...(options.param !== undefined && { params: options.param }),
    ...(options.maxAttempts !== undefined && { maxAttempts: options.maxAttempts }),
    ...(options.taskTimeout !== undefined && { taskTimeout: options.taskTimeout }),
    ...(options.maxBadRecords !== undefined && { maxBadRecords: options.maxBadRecords }),
    ...(options.durability !== undefined && { durability: options.durability }),
    ...(options.onNondeterminism !== undefined && { onNondeterminism: options.onNondeterminism }),
    ...(options.ifExists !== undefined && { ifExists: options.ifExists }),
    ...(options.profile && { profile: true }),
  };
}
