/** Files that the coordinator keeps of a job, beside its bundle. */
import type { JobSpec } from '../lib/job-spec.ts';
import { jobFolder } from '../lib/map-copy.ts';
import type { Stores } from '../lib/store/resolve.ts';
import type { StoreLocation } from '../lib/store/store.ts';

/** Where the file of this name is, or is to be. */
export function locateJobFile(stores: Stores, spec: Pick<JobSpec, 'bundle'>, name: string): StoreLocation {
  return stores.locate(`${jobFolder(spec)}${name}`);
}

/** One value a line. What an earlier coordinator may have written is replaced. */
export async function writeJobLines(
  stores: Stores,
  spec: Pick<JobSpec, 'bundle'>,
  name: string,
  values: readonly unknown[],
): Promise<void> {
  const { store, key } = locateJobFile(stores, spec, name);
  await store.put(key, Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join('')));
}
