/**
 * Damages what a target wrote, again and again, and judges what its readers make of it: the right result all the same, an error with a name,
 * or a failure of the product: another result, or an error without a name.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MillraceError } from '../../lib/errors.ts';
import { TaskFailure } from '../../worker/user/task-failure.ts';
import { Random } from '../core/fake-cluster.ts';
import { type DamageKind, damage } from './damage.ts';
import { Noticed, type Target, type TargetKind } from './target.ts';

export interface Tally {
  readonly target: string;
  injections: number;
  /** The result was right: slack between the bytes that count, or the same made from another copy. */
  harmless: number;
  /** By what the product said. */
  readonly noticed: Map<string, number>;
  readonly kinds: Map<DamageKind, number>;
  /** Silent acceptances and errors without a name; each says how to repeat it. */
  readonly failures: string[];
}

export interface InjectOptions {
  readonly seed: number;
  readonly injections: number;
  /** Only this one of them. */
  readonly only?: number | undefined;
}

export async function inject(kind: TargetKind, options: InjectOptions): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-corruption-'));
  try {
    const target = await kind.make(folder, new Random(options.seed));
    try {
      return await injectInto(target, kind.name, options);
    } finally {
      await target.close?.();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function injectInto(
  target: Target,
  name: string,
  { seed, injections, only }: InjectOptions,
): Promise<Tally> {
  const tally: Tally = {
    target: name,
    injections: 0,
    harmless: 0,
    noticed: new Map(),
    kinds: new Map(),
    failures: [],
  };
  const right = await target.read(target.whole);
  for (let at = only ?? 0; at < (only === undefined ? injections : only + 1); at++) {
    const damaged = damage(new Random(seed * 1_000_003 + at), target);
    tally.injections++;
    count(tally.kinds, damaged.kind);
    const found = await judge(() => target.read(damaged.bytes), right);
    if (found.verdict === 'right') tally.harmless++;
    else if (found.verdict === 'noticed') count(tally.noticed, found.what);
    else {
      const command = `npm run test:corruption -- --seed ${seed} --target '${name}' --only ${at}`;
      tally.failures.push(`${name}: ${damaged.kind}: ${found.what} (${command})`);
    }
  }
  if ((await target.read(target.whole)) !== right)
    tally.failures.push(`${name}: damage outlives its injection`);
  return tally;
}

interface Verdict {
  readonly verdict: 'right' | 'noticed' | 'failed';
  readonly what: string;
}

async function judge(read: () => Promise<string>, right: string): Promise<Verdict> {
  try {
    const result = await read();
    if (result === right) return { verdict: 'right', what: '' };
    return {
      verdict: 'failed',
      what: `accepted in silence: ${result.slice(0, 300)}, not ${right.slice(0, 300)}`,
    };
  } catch (thrown) {
    const what = nameOf(thrown);
    if (what !== undefined) return { verdict: 'noticed', what };
    return { verdict: 'failed', what: `an error without a name: ${(thrown as Error).stack ?? thrown}` };
  }
}

/** Undefined for what says nothing: an internal error, or none of ours. */
function nameOf(thrown: unknown): string | undefined {
  if (thrown instanceof Noticed) return thrown.message;
  if (thrown instanceof TaskFailure)
    return thrown.failure.kind === 'internal' ? undefined : thrown.failure.kind;
  if (thrown instanceof MillraceError) return thrown.code === 'internal' ? undefined : thrown.code;
  return undefined;
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
