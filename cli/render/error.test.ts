import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type AttemptFailure, describeFailure } from '../../lib/attempt-failure.ts';
import { MillraceError } from '../../lib/errors.ts';
import type { JobView } from '../../lib/job-view.ts';
import { makeView } from '../../test/job-view-fixture.ts';
import { renderError, renderFailure } from './error.ts';
import { coloured } from './style.ts';

const userError: AttemptFailure = {
  kind: 'user-error',
  name: 'TypeError',
  message: 'ms must be a number',
  stack: '    at parseLine (lib/parse.ts:7:11)\n    at map (p99.ts:8:20)',
  where: 'map',
  record: 's3://logs/03.jsonl, byte offset 1207553',
};

function failed(failure: AttemptFailure, workers: readonly string[] = ['w1']): JobView {
  return makeView({
    state: 'FAILED',
    failedAttempts: [
      {
        task: 'm3',
        attempt: 0,
        worker: 'w9',
        atMs: 0,
        failure: { kind: 'internal', message: 'of another task' },
      },
      ...workers.map((worker, attempt) => ({ task: 'm17', attempt, worker, atMs: 0, failure })),
    ],
    cause: {
      code: 'job-failed',
      message: `m17 failed twice with the same error: ${describeFailure(failure)}`,
      task: 'm17',
      failure,
    },
  });
}

describe('renderFailure', () => {
  it('shows cause, stack, source, function, record, attempts and what to type next', () => {
    const options = { excerpt: '   6 | if (x)\n > 7 |   throw', showCommands: true };
    expect(renderFailure(failed(userError, ['w1', 'w2']), options)).toEqual([
      '✖ job word-count (job-1) failed: m17 failed twice with the same error',
      '  TypeError: ms must be a number',
      '      at parseLine (lib/parse.ts:7:11)',
      '      at map (p99.ts:8:20)',
      '   6 | if (x)',
      ' > 7 |   throw',
      '  in       map()',
      '  record   s3://logs/03.jsonl, byte offset 1207553',
      '  attempts 2 failed attempts: w1 ✖ user-error · w2 ✖ same error',
      '  next     millrace explain job-1 · millrace logs job-1 --task m17',
    ]);
  });

  it('leaves out what is not known and, where no coordinator will know the job, the commands', () => {
    const bare = { ...userError, stack: '', where: '', record: '' };
    expect(renderFailure(failed(bare), { excerpt: undefined, showCommands: false })).toEqual([
      '✖ job word-count failed: m17 failed twice with the same error',
      '  TypeError: ms must be a number',
      '  attempts 1 failed attempt: w1 ✖ user-error',
    ]);
  });

  it('says where a malformed record is, in lines and bytes', () => {
    const failure = {
      kind: 'malformed-record',
      message: 'not JSON',
      uri: 's3://b/k',
      line: 88_214,
      offset: 1_207_553,
    } as const;
    const lines = renderFailure(failed(failure), { excerpt: undefined, showCommands: false });
    expect(lines).toContain('  record   s3://b/k  line 88,214 (byte 1,207,553)');
  });

  it('names the limit of a slot that ran out of memory', () => {
    const failure = { kind: 'out-of-memory', message: 'too much', heapBytesMax: 64 * 1024 ** 2 } as const;
    const lines = renderFailure(failed(failure), { excerpt: undefined, showCommands: false });
    expect(lines).toContain('  limit    64 MiB of heap per slot (--slot-memory)');
  });

  it('is short for a job that no task failed', () => {
    const cause = { code: 'no-input', message: 'no object matches x', task: null, failure: null };
    const view = makeView({ state: 'FAILED', cause });
    expect(renderFailure(view, { excerpt: undefined, showCommands: false })).toEqual([
      '✖ job word-count failed: no object matches x',
    ]);
  });

  it('says what to do about a map that is not deterministic', () => {
    const cause = { code: 'non-deterministic', message: 'm0 is not', task: 'm0', failure: null };
    const view = makeView({ state: 'FAILED', cause });
    expect(renderFailure(view, { excerpt: undefined, showCommands: false })[1]).toMatch(
      /map must yield the same for the same input/,
    );
  });

  it('says cancelled of a cancelled job', () => {
    const cause = { code: 'cancelled', message: 'cancelled by a client', task: null, failure: null };
    const view = makeView({ state: 'CANCELLED', cause });
    expect(renderFailure(view, { excerpt: undefined, showCommands: true })).toEqual([
      '✖ job word-count (job-1) was cancelled: cancelled by a client',
    ]);
  });

  it('changes nothing but colours when painted', () => {
    const options = { excerpt: undefined, showCommands: true };
    const painted = renderFailure(failed(userError), options, coloured).join('\n');
    expect(painted).toContain('\u001b[');
    expect(stripVTControlCharacters(painted)).toBe(renderFailure(failed(userError), options).join('\n'));
  });
});

describe('renderError', () => {
  it('is one sentence for an error with a code', () => {
    expect(renderError(new MillraceError('invalid-argument', 'no input'))).toBe('✖ no input');
  });

  it('adds the stack of a mistake of ours', () => {
    const text = renderError(MillraceError.from(new RangeError('oops')));
    expect(text).toMatch(/✖ oops\nRangeError: oops\n {4}at .*error\.test\.ts/);
  });
});
