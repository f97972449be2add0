import { describe, expect, it } from 'vitest';
import { toJobId } from '../../lib/ids.ts';
import { TaskContext } from './context.ts';
import { createProgress, progressSum } from './progress.ts';

function make(logBytesMax = 1000) {
  const lines: string[] = [];
  const progress = createProgress();
  const context = new TaskContext({
    attempt: { jobId: toJobId('j'), kind: 'reduce', index: 4, attempt: 2, epoch: 1 },
    params: { limit: 3 },
    signal: new AbortController().signal,
    progress,
    log: (text) => lines.push(text),
    logBytesMax,
  });
  return { context, lines, progress };
}

describe('TaskContext', () => {
  it('says what runs', () => {
    const { context } = make();
    expect([context.task, context.attempt, context.source]).toEqual(['r4', 2, { uri: '', offset: 0 }]);
  });

  it('freezes the parameters', () => {
    const params = make().context.params as Record<string, unknown>;
    expect(() => {
      params.limit = 4;
    }).toThrow(TypeError);
  });

  it('adds counters up by name, one by default', () => {
    const { context } = make();
    context.counter('a').add();
    context.counter('a').add(4);
    context.counter('b').add(-1);
    expect(context.counters()).toEqual({ a: 5, b: -1 });
  });

  it.each([[Number.NaN], [Number.POSITIVE_INFINITY]])('refuses to add %d', (n) => {
    expect(() => make().context.counter('a').add(n)).toThrow('counter "a" cannot add');
  });

  it('bounds the names of counters', () => {
    const { context } = make();
    expect(() => context.counter('')).toThrow('1 to 128 characters');
    expect(() => context.counter('x'.repeat(129))).toThrow('1 to 128 characters');
    for (let index = 0; index < 1000; index++) context.counter(`c${index}`);
    expect(() => context.counter('more')).toThrow('limit of 1000 names');
    expect(() => context.counter('c7')).not.toThrow();
  });

  it('formats log lines like the console, one per line, also when taken out of the object', () => {
    const { context, lines } = make();
    const { log } = context;
    log('n = %d', 3, { a: 1 });
    log('x\ny');
    expect(lines).toEqual(['n = 3 { a: 1 }', 'x', 'y']);
  });

  it('closes a log that is over its limit with one line', () => {
    const { context, lines } = make(10);
    context.log('12345');
    context.log('12345');
    context.log('1');
    expect(lines).toEqual(['12345', expect.stringContaining('over its limit of 10 bytes')]);
  });

  it('takes logging and counting for progress', () => {
    const { context, progress } = make();
    const before = progressSum(progress);
    context.log('still here');
    const logged = progressSum(progress);
    context.counter('a').add();
    expect(before).toBeLessThan(logged);
    expect(logged).toBeLessThan(progressSum(progress));
  });
});
