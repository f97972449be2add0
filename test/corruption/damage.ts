/** What can happen to bytes between who wrote them and who reads them. Each kind gives bytes that differ, or none where it cannot. */
import type { Random } from '../core/fake-cluster.ts';

/** An object that can be damaged, and what could lie in its place. */
export interface Specimen {
  readonly whole: Buffer;
  /** Where its parts meet. */
  readonly boundaries: readonly number[];
  /** Whole objects of the same kind: of another attempt, map, run or job. */
  readonly others: readonly Buffer[];
}

type Damage = (random: Random, specimen: Specimen) => Buffer | undefined;

const damages = {
  'a bit flipped': (random, { whole }) => {
    const at = random.below(whole.length);
    return changedAt(whole, at, whole[at]! ^ (1 << random.below(8)));
  },
  'a byte changed': (random, { whole }) => changedAt(whole, random.below(whole.length), random.below(256)),
  'a byte at a boundary changed': (random, { whole, boundaries }) => {
    const at = random.pick(boundaries)! - random.below(2);
    return at >= 0 && at < whole.length ? changedAt(whole, at, random.below(256)) : undefined;
  },
  'a range zeroed': (random, { whole }) => {
    const [start, end] = rangeIn(random, whole);
    return Buffer.from(whole).fill(0, start, end);
  },
  'a range overwritten': (random, { whole }) => {
    const [start, end] = rangeIn(random, whole);
    return Buffer.concat([whole.subarray(0, start), junk(random, end - start), whole.subarray(end)]);
  },
  'cut off': (random, { whole }) => whole.subarray(0, random.below(whole.length)),
  'cut off at a boundary': (random, { whole, boundaries }) => whole.subarray(0, random.pick(boundaries)),
  'its beginning lost': (random, { whole }) => whole.subarray(1 + random.below(whole.length)),
  'a range lost': (random, { whole }) => {
    const [start, end] = rangeIn(random, whole);
    return Buffer.concat([whole.subarray(0, start), whole.subarray(end)]);
  },
  'junk appended': (random, { whole }) => Buffer.concat([whole, junk(random, 1 + random.below(64))]),
  'zeros appended': (random, { whole }) => Buffer.concat([whole, Buffer.alloc(1 + random.below(4096))]),
  'a range doubled': (random, { whole }) => {
    const [start, end] = rangeIn(random, whole);
    return Buffer.concat([whole.subarray(0, end), whole.subarray(start)]);
  },
  'a part doubled': (random, specimen) => {
    const [start, end] = partIn(random, specimen);
    return Buffer.concat([specimen.whole.subarray(0, end), specimen.whole.subarray(start)]);
  },
  'a part lost': (random, specimen) => {
    const [start, end] = partIn(random, specimen);
    return Buffer.concat([specimen.whole.subarray(0, start), specimen.whole.subarray(end)]);
  },
  'blocks swapped': (random, { whole }) => {
    const size = 1 + random.below(Math.max(1, whole.length >> 1));
    const [a, b] = [random.below(whole.length - size + 1), random.below(whole.length - size + 1)];
    const changed = Buffer.from(whole);
    whole.copy(changed, a, b, b + size);
    whole.copy(changed, b, a, a + size);
    return changed;
  },
  'another in its place': (random, { others }) => random.pick(others),
  'the end of another': (random, { whole, others }) => {
    const other = random.pick(others);
    const size = 1 + random.below(whole.length);
    return other && Buffer.concat([whole.subarray(0, whole.length - size), other.subarray(-size)]);
  },
  'a block of another': (random, { whole, others }) => {
    const [start, end] = rangeIn(random, whole);
    const changed = Buffer.from(whole);
    const other = random.pick(others);
    if (!other || other.length < end) return undefined;
    other.copy(changed, start, start, end);
    return changed;
  },
} satisfies Record<string, Damage>;

export type DamageKind = keyof typeof damages;
export const damageKinds = Object.keys(damages) as DamageKind[];

export interface Damaged {
  readonly kind: DamageKind;
  readonly bytes: Buffer;
}

/** One of all kinds that can be done to the specimen; the bytes are not those of the whole. */
export function damage(random: Random, specimen: Specimen): Damaged {
  for (;;) {
    const kind = random.pick(damageKinds)!;
    const bytes = damages[kind](random, specimen);
    if (bytes && !bytes.equals(specimen.whole)) return { kind, bytes: Buffer.from(bytes) };
  }
}

function changedAt(whole: Buffer, at: number, byte: number): Buffer {
  const changed = Buffer.from(whole);
  changed[at] = byte;
  return changed;
}

/** Not empty; short ones and long ones. */
function rangeIn(random: Random, { length }: Buffer): [start: number, end: number] {
  const start = random.below(length);
  const most = random.chance(0.5) ? Math.min(16, length - start) : length - start;
  return [start, start + 1 + random.below(most)];
}

/** From a boundary to the next. */
function partIn(random: Random, { boundaries }: Specimen): [start: number, end: number] {
  const at = random.below(boundaries.length);
  return [boundaries[at - 1] ?? 0, boundaries[at]!];
}

function junk(random: Random, bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, () => random.below(256)));
}
