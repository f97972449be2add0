import { expect, test } from 'vitest';
import { parseExposition } from './exposition.ts';

const head = '# HELP a_total x\n# TYPE a_total counter\n';
const histogram = '# HELP h x\n# TYPE h histogram\n';

test('families are read with their labels, escapes and special numbers', () => {
  const families = parseExposition(`${head}a_total{x="q\\"\\n\\\\",y=""} 1.5e3\na_total{x="2"} +Inf\n`);
  expect(families.get('a_total')).toEqual({
    ...{ name: 'a_total', help: 'x', type: 'counter' },
    samples: [
      { name: 'a_total', labels: { x: 'q"\n\\', y: '' }, value: 1500 },
      { name: 'a_total', labels: { x: '2' }, value: Number.POSITIVE_INFINITY },
    ],
  });
});

test.each([
  ['no line end', `${head}a_total 1`],
  ['a family twice', `${head}a_total 1\n${head}`],
  ['TYPE without HELP', '# TYPE a_total counter\na_total 1\n'],
  ['a counter by another name', '# HELP a x\n# TYPE a counter\na 1\n'],
  ['a gauge called like a counter', '# HELP a_total x\n# TYPE a_total gauge\na_total 1\n'],
  ['an unknown type', '# HELP a x\n# TYPE a thing\na 1\n'],
  ['a sample of no family', `${head}b_total 1\n`],
  ['a series twice', `${head}a_total{x="1",y="2"} 1\na_total{y="2",x="1"} 1\n`],
  ['a label twice', `${head}a_total{x="1",x="2"} 1\n`],
  ['a quote that is not escaped', `${head}a_total{x="a"b"} 1\n`],
  ['an unknown escape', `${head}a_total{x="\\t"} 1\n`],
  ['no number', `${head}a_total undefined\n`],
  ['buckets without +Inf', `${histogram}h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n`],
  ['buckets that shrink', `${histogram}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`],
  ['a count that is not the last bucket', `${histogram}h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n`],
  ['a histogram without a sum', `${histogram}h_bucket{le="+Inf"} 1\nh_count 1\n`],
])('%s is refused', (_, text) => {
  expect(() => parseExposition(text)).toThrow();
});
