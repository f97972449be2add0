/** Runs of one job under several conditions, one after the other in every round, so that what else the machine does strikes all of them alike. */
/** Something that is run under this condition, and leaves an output. */
export interface Condition<Run extends { readonly digest: string }> {
  readonly name: string;
  /** Whether it takes part in this round, from 0; default: in every one. */
  readonly isIn?: (round: number) => boolean;
  run(): Promise<Run>;
}

/** The runs of each condition, by its name. Each round begins with another one. Throws when an output differs from the first. */
export async function interleave<Run extends { readonly digest: string }>(
  conditions: readonly Condition<Run>[],
  rounds: number,
): Promise<Map<string, readonly Run[]>> {
  const runs = new Map<string, Run[]>(conditions.map(({ name }) => [name, []]));
  let digest: string | undefined;
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < conditions.length; turn++) {
      const condition = conditions[(round + turn) % conditions.length]!;
      if (condition.isIn?.(round) === false) continue;
      const done = await condition.run();
      digest ??= done.digest;
      if (done.digest !== digest)
        throw new Error(`the output is another one: ${condition.name}, round ${round + 1}`);
      runs.get(condition.name)!.push(done);
    }
  }
  return runs;
}
