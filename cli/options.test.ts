import { CommanderError } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type JobOptions, submitOptionsOf } from './options.ts';
import { buildProgram } from './program.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** The options that the command sees; its action does not run. */
async function parse(...args: string[]): Promise<JobOptions & Record<string, unknown>> {
  const program = await buildProgram(args[0]);
  const command = program.commands.find((one) => one.name() === args[0]);
  command?.action(() => undefined);
  await program.parseAsync(args, { from: 'user' });
  return command?.opts() ?? {};
}

describe('job options', () => {
  it('take several patterns after one -i, and several -i', async () => {
    const { input } = await parse('run', 'job.ts', '-i', 'a', 'b', '-i', 'c');
    expect(input).toEqual(['a', 'b', 'c']);
  });

  it('become submit options, with only what was given', async () => {
    const flags = await parse(
      ...['submit', 'job.ts', '-i', 'a', '-o', 'out', '-r', '0', '--split-size', '64MiB', '--param', 'k=v=w'],
      ...['--param', 'n=1', '--max-attempts', '2', '--task-timeout', '5m', '--if-exists', 'append'],
    );
    expect(submitOptionsOf(flags, 'out')).toEqual({
      input: ['a'],
      output: 'out',
      reducers: 0,
      splitSize: '64MiB',
      params: { k: 'v=w', n: '1' },
      maxAttempts: 2,
      taskTimeout: '5m',
      ifExists: 'append',
    });
  });

  it('refuse a submit without input', () => {
    expect(() => submitOptionsOf({}, 'out')).toThrow('no input: give -i PATTERN');
  });

  it.each([
    [['-r', 'many'], /--reducers <N>' argument 'many' is invalid. Expected a whole number/],
    [['-r', '-1'], /Expected a whole number of at least 0/],
    [['--maps', '0'], /Expected a whole number of at least 1/],
    [['--maps', '2', '--split-size', '1MiB'], /cannot be used with option/],
    [['--param', 'novalue'], /Expected NAME=VALUE/],
    [['--split-size', '12 parsecs'], /--split-size: expected a size such as/],
    [['--task-timeout', 'soon'], /--task-timeout: expected a duration such as/],
    [['--if-exists', 'maybe'], /Allowed choices are fail, replace, append/],
    [['--reducer', '1'], /unknown option '--reducer'\n\(Did you mean --reducers\?\)/],
    [['extra'], /too many arguments/],
  ])('refuse %j', async (args, message) => {
    await expect(parse('run', 'job.ts', ...args)).rejects.toThrow(message);
  });
});

describe('the environment', () => {
  it('gives what no flag says, and a flag wins over it', async () => {
    vi.stubEnv('MILLRACE_COORDINATOR', '127.0.0.1:9');
    vi.stubEnv('MILLRACE_REDUCERS', '7');
    vi.stubEnv('MILLRACE_MAX_ATTEMPTS', '2');
    expect(await parse('submit', 'job.ts', '-r', '3')).toMatchObject({
      coordinator: '127.0.0.1:9',
      reducers: 3,
      maxAttempts: 2,
    });
  });

  it('is read with the same checks', async () => {
    vi.stubEnv('MILLRACE_REDUCERS', 'many');
    await expect(parse('run', 'job.ts')).rejects.toThrow(/from env 'MILLRACE_REDUCERS' is invalid/);
  });

  it('switches on, and off when it says so', async () => {
    vi.stubEnv('MILLRACE_JSON', '1');
    vi.stubEnv('MILLRACE_QUIET', 'false');
    const flags = await parse('run', 'job.ts');
    expect(flags.json).toBe(true);
    expect(flags.quiet).toBeUndefined();
  });

  it('counts an empty variable as not set', async () => {
    vi.stubEnv('MILLRACE_COORDINATOR', '');
    expect(await parse('list')).toMatchObject({ coordinator: '127.0.0.1:7450' });
  });
});

describe('commands', () => {
  it('suggest the one that was meant', async () => {
    await expect(parse('lst')).rejects.toThrow(/unknown command 'lst'\n\(Did you mean list\?\)/);
  });

  it('need their id', async () => {
    const error = await parse('status').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CommanderError);
  });
});
