/** Where the time of a job went (`--profile`): processor time by stage, and the functions of the user that took most of it. */

/** In the order in which a record meets them; the last three are nobody's stage. */
export const stages = [
  'read',
  'decode',
  'user-map',
  'emit',
  'sort',
  'spill',
  'merge',
  'serve',
  'fetch',
  'group',
  'user-reduce',
  'write',
  'gc',
  'engine',
  'idle',
] as const;
export type Stage = (typeof stages)[number];

export type StageMicros = Readonly<Record<Stage, number>>;

/** A function of the job file, or of what it imports. `micros` is spent in it and in what it calls of JavaScript's own. */
export interface HotFunction {
  readonly name: string;
  /** In the project of the job file; empty when it is not known. */
  readonly file: string;
  /** From 1; 0 when it is not known. */
  readonly line: number;
  readonly micros: number;
}

export interface Profile {
  /** Microseconds of threads, as sampled; `idle` is waited, not spent. */
  readonly micros: StageMicros;
  /** The hottest first. */
  readonly functions: readonly HotFunction[];
}

/** Of one attempt, and of a job. */
export const hotFunctionsMax = 20;

export function noMicros(): Record<Stage, number> {
  return Object.fromEntries(stages.map((stage) => [stage, 0])) as Record<Stage, number>;
}

/** The sum; either may be missing. What is cut off at the end of both lists is lost, so the last of many functions are estimates. */
export function addProfiles(a: Profile | undefined, b: Profile | undefined): Profile | undefined {
  if (!a || !b) return a ?? b;
  const micros = noMicros();
  for (const stage of stages) micros[stage] = a.micros[stage] + b.micros[stage];
  return { micros, functions: hottest([...a.functions, ...b.functions]) };
}

/** One of each, the hottest first, {@link hotFunctionsMax} at most. */
export function hottest(functions: Iterable<HotFunction>): HotFunction[] {
  const byPlace = new Map<string, HotFunction>();
  for (const one of functions) {
    const place = `${one.file}:${one.line} ${one.name}`;
    byPlace.set(place, { ...one, micros: one.micros + (byPlace.get(place)?.micros ?? 0) });
  }
  return [...byPlace.values()].sort((a, b) => b.micros - a.micros).slice(0, hotFunctionsMax);
}
