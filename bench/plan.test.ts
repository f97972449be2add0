import { describe, expect, it } from 'vitest';
import { experiments } from './experiments/experiments.ts';
import { parseFlags } from './flags.ts';
import { plan } from './plan.ts';
import { scenarios } from './scenarios/scenarios.ts';

const planOf = (...args: readonly string[]) => plan(parseFlags(args), args.join(' '));
const namesOf = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name);
const minutes = (count: number) => count * 60;

describe('plan', () => {
  it('without options is what a user can wait for', () => {
    const [part, ...others] = planOf();
    expect(others).toEqual([]);
    expect(namesOf(part!.scenarios)).toEqual(namesOf(scenarios));
    expect(namesOf(part!.experiments)).toEqual(['warm-submit']);
    expect(part!.budget.allows(minutes(4.9))).toBe(true);
    expect(part!.budget.allows(minutes(5))).toBe(false);
  });

  it('with --full has every scenario and experiment, the main ones also at five times the size', () => {
    const parts = planOf('--full', '--size', '20MB');
    const measured = parts.flatMap((part) => [...namesOf(part.scenarios), ...namesOf(part.experiments)]);
    expect(new Set(measured)).toEqual(new Set([...namesOf(scenarios), ...namesOf(experiments)]));
    const large = parts.filter(({ sizes }) => sizes[0] === 100e6);
    expect(large.flatMap((part) => namesOf(part.scenarios))).toEqual(['word-count', 'sort']);
    for (const { peers } of large) expect(peers.filter(({ isSlow }) => isSlow)).toEqual([]);
  });

  it('with --full measures slow peers once, in parts of their own', () => {
    const slow = planOf('--full').filter(({ peers }) => peers.some(({ isSlow }) => isSlow));
    for (const part of slow) expect(part).toMatchObject({ runs: 0, slowRuns: 1, sizes: [200e6] });
    expect(slow.flatMap((part) => namesOf(part.scenarios))).toEqual([
      'word-count',
      'start-up',
      'sort',
      'grep',
    ]);
  });

  it('with --full repeats short experiments and runs long ones once, those with a figure first', () => {
    const parts = planOf('--full').filter((part) => part.experiments.length > 0);
    expect(parts.map(({ runs }) => runs)).toEqual([3, 1, 1]);
    const [short, withFigure, beside] = parts.map((part) => namesOf(part.experiments));
    expect(short).toContain('warm-submit');
    expect(withFigure).toContain('killed-workers');
    expect(beside).toContain('minio');
  });

  it('shares one budget between its parts', () => {
    const budgets = planOf('--full', '--budget', '25m').map(({ budget }) => budget);
    expect(new Set(budgets).size).toBe(1);
    expect(budgets[0]!.allows(minutes(25))).toBe(false);
  });

  it('measures what is named, as long as it takes', () => {
    const [part] = planOf('--scenarios', 'tls,grep', '--peers', 'gnu,duckdb', '--size', '1MB,2MB');
    expect(namesOf(part!.scenarios)).toEqual(['grep']);
    expect(namesOf(part!.experiments)).toEqual(['tls']);
    expect(namesOf(part!.peers)).toEqual(['gnu', 'duckdb']);
    expect(part!.sizes).toEqual([1e6, 2e6]);
    expect(part!.budget.allows(minutes(1000))).toBe(true);
  });

  it.each([
    [['--scenarios', 'word-cuont'], /--scenarios: there is no word-cuont; there are start-up/],
    [['--peers', 'duckbd'], /--peers: there is no duckbd; there are plain/],
    [['--size', 'much'], /--size: expected a size/],
    [['--full', '--scenarios', 'sort'], /--full has scenarios and sizes of its own/],
    [['--full', '--size', '1MB,2MB'], /--full has scenarios and sizes of its own/],
  ])('refuses %j', (args, message) => {
    expect(() => planOf(...args)).toThrow(message);
  });
});
