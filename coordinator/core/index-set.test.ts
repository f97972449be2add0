import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndexSet } from './index-set.ts';

const capacity = 3_000;

test('behaves like a sorted Set of small integers', () => {
  const operation = fc.record({
    what: fc.constantFrom('add' as const, 'delete' as const),
    index: fc.oneof(fc.nat({ max: capacity - 1 }), fc.constantFrom(0, 31, 32, 1023, 1024, capacity - 1)),
  });
  const checked = fc.property(
    fc.array(operation, { maxLength: 200 }),
    fc.nat({ max: capacity }),
    (operations, from) => {
      const model = new Set<number>();
      const set = new IndexSet(capacity);
      for (const { what, index } of operations) {
        const changes = what === 'add' ? !model.has(index) : model.has(index);
        model[what](index);
        expect(set[what](index)).toBe(changes);
      }
      const sorted = [...model].sort((a, b) => a - b);
      expect(set.size).toBe(model.size);
      expect(set.first(capacity)).toEqual(sorted);
      expect(set.first(2)).toEqual(sorted.slice(0, 2));
      expect(set.next(from)).toBe(sorted.find((index) => index >= from) ?? -1);
      expect(set.has(from)).toBe(model.has(from));
    },
  );
  fc.assert(checked, { seed: 1, numRuns: 200 });
});

test('an empty set of no capacity has no next', () => {
  expect(new IndexSet(0).next(0)).toBe(-1);
});
