/** `jobs/<id>/splits.jsonl`: what each map task reads, one split a line in the order of tasks, so that one can be run again elsewhere. */
import type { JobSpec, Split } from '../lib/job-spec.ts';
import type { Stores } from '../lib/store/resolve.ts';

export const splitsName = 'splits.jsonl';

/** Beside the bundle. Splits that are listed again, by another coordinator, replace those before. */
export async function writeSplits(
  stores: Stores,
  { bundle }: Pick<JobSpec, 'bundle'>,
  splits: readonly Split[],
): Promise<void> {
  const folder = bundle.uri.slice(0, bundle.uri.lastIndexOf('/') + 1);
  const { store, key } = stores.locate(`${folder}${splitsName}`);
  await store.put(key, Buffer.from(splits.map((split) => `${JSON.stringify(split)}\n`).join('')));
}
