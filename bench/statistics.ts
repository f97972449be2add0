/** The statistics of few samples: nothing that would need many. */

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** (max - min) / median: how far apart the samples are. */
  readonly spread: number;
}

/** The median of an even number is the mean of the two in the middle. NaN without values. */
export function summary(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
  const [min, max] = [at(0), at(sorted.length - 1)];
  return { median, min, max, spread: (max - min) / median };
}

/** Ratios of runs of the same round, which had the same weather; where one side was measured in fewer rounds, to its median. Empty without samples. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  if (theirs.length === 0) return [];
  if (ours.length === theirs.length) return ours.map((value, round) => value / theirs[round]!);
  const base = summary(theirs).median;
  return ours.map((value) => value / base);
}
