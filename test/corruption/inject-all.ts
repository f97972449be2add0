/** Shares the injections among all targets. */
import { inject, type Tally } from './inject.ts';
import { targetKinds } from './targets.ts';

export interface InjectAllOptions {
  readonly seed: number;
  /** Of all targets together; at least so many are done. */
  readonly injections: number;
  /** Only the target of this name. */
  readonly target?: string | undefined;
  /** Only this injection. */
  readonly only?: number | undefined;
}

export async function injectAll({ seed, injections, target, only }: InjectAllOptions): Promise<Tally[]> {
  const chosen = targetKinds.filter(({ name }) => target === undefined || name === target);
  if (chosen.length === 0) {
    throw new Error(
      `no target ${JSON.stringify(target)}; there are ${targetKinds.map(({ name }) => name).join(', ')}`,
    );
  }
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  const tallies: Tally[] = [];
  for (const kind of chosen) {
    const own = Math.ceil((injections * kind.share) / shares);
    tallies.push(await inject(kind, { seed, injections: own, only }));
  }
  return tallies;
}
