/** What is at a job's output path before and when it commits: `--if-exists fail|replace|append`. */
import { MillraceError } from '../lib/errors.ts';
import { partName, successName } from '../lib/formats.ts';
import type { IfExists, JobSpec, OpenPart } from '../lib/job-spec.ts';
import type { Stores } from '../lib/store/resolve.ts';
import type { Store } from '../lib/store/store.ts';
import { type ManifestPart, readManifest } from '../lib/success-manifest.ts';
import { buildManifest } from './build-manifest.ts';
import type { Effect } from './core/effects.ts';

export type Publication = Omit<Extract<Effect, { type: 'publish-output' }>, 'type' | 'discards'>;

const partPattern = /^part-[mr]-(\d{5,})$/;

/** The names of all objects below the output path. */
async function listOutput(store: Store, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const object of store.list(prefix)) names.push(object.key.slice(prefix.length));
  return names;
}

/**
 * The number of the first part of a new job there: 0, or what follows the last one for `append`.
 * Throws `output-exists` for `fail` when anything is there.
 */
export async function checkOutput(stores: Stores, outputUri: string, ifExists: IfExists): Promise<number> {
  const { store, key: prefix } = stores.locate(outputUri);
  const names = await listOutput(store, prefix);
  if (ifExists === 'fail' && names.length > 0) throw outputExists(outputUri, names);
  if (ifExists !== 'append') return 0;
  return Math.max(0, ...names.map((name) => Number(partPattern.exec(name)?.[1] ?? -1) + 1));
}

function outputExists(outputUri: string, names: readonly string[]): MillraceError {
  return new MillraceError(
    'output-exists',
    `${outputUri} is not empty (it has ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}); ` +
      'choose another output, or --if-exists replace or append',
  );
}

/**
 * The commit: publishes the parts, then `_SUCCESS`. Every step may be repeated, so a commit that was cut off is simply run
 * again. With `replace` the old `_SUCCESS` goes first: nothing ever looks complete that is not.
 */
export async function publishOutput(stores: Stores, { spec, parts, success }: Publication): Promise<void> {
  const { store, key: prefix } = stores.locate(spec.outputUri);
  const before = await readManifest(store, prefix);
  if (before?.jobId === spec.jobId) return;
  const own = new Set(parts.map((part) => stores.locate(part.uri).key.slice(prefix.length)));
  const names = await listOutput(store, prefix);
  const foreign = names.filter((name) => !own.has(name));
  if (spec.ifExists === 'fail' && foreign.length > 0) throw outputExists(spec.outputUri, foreign);
  const kept: readonly ManifestPart[] = spec.ifExists === 'append' ? (before?.parts ?? []) : [];
  const manifest = buildManifest(spec, parts, success, kept);
  if (before) await store.remove(`${prefix}${successName}`);
  for (const { uri, token, bytes } of parts)
    await store.publish({ key: stores.locate(uri).key, token, bytes });
  if (spec.ifExists === 'replace') {
    for (const name of foreign) if (partPattern.test(name)) await store.remove(`${prefix}${name}`);
  }
  const written = await store.putIfAbsent(
    `${prefix}${successName}`,
    Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`),
  );
  if (!written && (await readManifest(store, prefix))?.jobId !== spec.jobId) {
    throw new MillraceError('output-exists', `another job has committed to ${spec.outputUri} meanwhile`);
  }
}

/** Nothing of the job stays under its output path. */
export async function discardOutput(
  stores: Stores,
  spec: JobSpec,
  parts: readonly OpenPart[],
): Promise<void> {
  const { store, key: prefix } = stores.locate(spec.outputUri);
  for (const { uri, token } of parts) await store.discard({ key: stores.locate(uri).key, token });
  await store.sweep(prefix, spec.jobId, partKeys(prefix, spec));
}

/** Every key that an attempt of the job may have staged under. */
function* partKeys(prefix: string, spec: JobSpec): Generator<string> {
  for (let index = 0; index < spec.reducers; index++) {
    yield `${prefix}${partName('reduce', spec.partOffset + index)}`;
  }
}
