import type { Tally } from './inject.ts';

/** A Markdown table: per target how many injections there were, how many changed nothing, and what noticed the others. */
export function renderTallies(tallies: readonly Tally[]): string {
  const rows = tallies.map(({ target, injections, harmless, noticed, failures }) => {
    const by = [...noticed].sort((a, b) => b[1] - a[1]).map(([what, times]) => `${what} ${times}`);
    return `| ${target} | ${injections} | ${harmless} | ${by.join(', ')} | ${failures.length} |`;
  });
  return [
    '| damaged | injections | right all the same | noticed by | in silence |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}
