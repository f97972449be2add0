/** What is at a job's output path before and when it commits: `--if-exists fail|replace|append`. */
import pLimit from 'p-limit';
import { MillraceError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoints.ts';
import { badPartName, partName, successName } from '../lib/formats.ts';
import { collectBytes } from '../lib/iterables.ts';
import type { IfExists, JobSpec, OpenPart } from '../lib/job-spec.ts';
import { limits } from '../lib/limits.ts';
import type { Stores } from '../lib/store/resolve.ts';
import type { Store } from '../lib/store/store.ts';
import { encodeManifest, readManifest, type SuccessManifest } from '../lib/success-manifest.ts';
import { buildManifest } from './build-manifest.ts';
import type { Effect } from './core/effects.ts';
import { locateJobFile } from './job-file.ts';

export type Publication = Omit<
  Extract<Effect, { type: 'publish-output' }>,
  'type' | 'discards' | 'unsure' | 'unsureMaps'
>;

/** A part, or what a map skipped. */
const partPattern = /^(?:part-[mr]-(\d{5,})|_bad\/part-m-(\d{5,})\.jsonl)$/;

/** In the job's folder: the manifest that `append` replaced. */
const replacedName = 'appended-to.json';

/** Names in an error. */
const namesShown = 3;

/** What a commit knows of earlier tries of itself. */
export interface CommitTries {
  /** Throws when another coordinator has taken the lead, which may have undone the commit since, and what the store throws. */
  confirmLead(): Promise<void>;
  /** An earlier try passed all checks: what is there under the names of the parts may be the job's own. */
  readonly hasBegun: boolean;
  /** Called when all checks are passed, before the first change: from then on parts of the job may be visible. */
  begin(): void;
}

const onlyTry: CommitTries = {
  confirmLead: async () => undefined,
  hasBegun: false,
  begin: () => undefined,
};

/** The names of objects below the output path: of all, or of the first so many. */
async function listOutput(store: Store, prefix: string, max = Number.POSITIVE_INFINITY): Promise<string[]> {
  const names: string[] = [];
  for await (const object of store.list(prefix)) {
    names.push(object.key.slice(prefix.length));
    if (names.length >= max) break;
  }
  return names;
}

/**
 * The number of the first part of a new job there: 0, or what follows the last one for `append`. Throws `output-exists` for `fail` when
 * anything is there, and for `append` when it is not known what.
 */
export async function checkOutput(stores: Stores, outputUri: string, ifExists: IfExists): Promise<number> {
  const { store, key: prefix } = stores.locate(outputUri);
  if (ifExists !== 'append') {
    const names = await listOutput(store, prefix, namesShown + 1);
    if (ifExists === 'fail' && names.length > 0) throw outputExists(outputUri, names);
    return 0;
  }
  await readAppendable(store, prefix, outputUri);
  let next = 0;
  for (const name of await listOutput(store, prefix)) {
    const [, part, badPart] = partPattern.exec(name) ?? [];
    next = Math.max(next, Number(part ?? badPart ?? -1) + 1);
  }
  return next;
}

function outputExists(outputUri: string, names: readonly string[]): MillraceError {
  const shown = names.slice(0, namesShown).join(', ');
  return new MillraceError(
    'output-exists',
    `${outputUri} is not empty (it has ${shown}${names.length > namesShown ? ', …' : ''}); ` +
      'choose another output, or --if-exists replace or append',
  );
}

/** The manifest that is there; undefined when there is none, or only the `_SUCCESS` of another program. */
async function readOwnManifest(store: Store, prefix: string): Promise<SuccessManifest | undefined> {
  try {
    return await readManifest(store, prefix);
  } catch (thrown) {
    if (MillraceError.from(thrown).code === 'corrupt') return undefined;
    throw thrown;
  }
}

/** The same; throws `output-exists` for what another program wrote, because its parts are not known. */
async function readAppendable(
  store: Store,
  prefix: string,
  outputUri: string,
): Promise<SuccessManifest | undefined> {
  const manifest = await readOwnManifest(store, prefix);
  if (manifest || !(await store.head(`${prefix}${successName}`))) return manifest;
  throw new MillraceError(
    'output-exists',
    `cannot append to ${outputUri}: its ${successName} was changed, or written by another program or a newer version of this one; ` +
      'choose another output, or --if-exists replace',
  );
}

/**
 * The commit: publishes the parts, then `_SUCCESS`. Every step may be repeated, so a commit that was cut off is simply run
 * again. With `replace` the old `_SUCCESS` goes first: nothing ever looks complete that is not. A process may stand still anywhere in here while
 * others go on: staged parts that they have dropped cannot be published, and before what nothing keeps from being done it asks whether it still leads.
 */
export async function publishOutput(
  stores: Stores,
  { spec, parts, success }: Publication,
  { confirmLead, hasBegun, begin }: CommitTries = onlyTry,
): Promise<void> {
  const { outputUri, ifExists } = spec;
  const { store, key: prefix } = stores.locate(outputUri);
  const isAppended = ifExists === 'append';
  const before = isAppended
    ? await readAppendable(store, prefix, outputUri)
    : await readOwnManifest(store, prefix);
  if (before?.jobId === spec.jobId) return;
  const all = [...parts, ...(success.bad ?? []).map(({ part }) => part)];
  const staged = all.map((part) => ({ ...part, key: keyOf(stores, spec, part) }));
  const own = new Set(staged.map(({ key }) => key.slice(prefix.length)));
  const names = await listOutput(store, prefix);
  const foreign = names.filter((name) => !own.has(name));
  const inTheWay = hasBegun ? [] : names.filter((name) => own.has(name));
  const refused = { fail: [...foreign, ...inTheWay], append: inTheWay, replace: [] }[ifExists];
  if (refused.length > 0) throw outputExists(outputUri, refused);
  const kept = isAppended ? before : undefined;
  const manifest = buildManifest(spec, parts, success, kept);
  failpoint('commit.before-first');
  if (kept) await keepReplaced(stores, spec);
  await confirmLead();
  begin();
  if (names.includes(successName) && !kept) {
    await store.remove(`${prefix}${successName}`);
    failpoint('commit.old-success-removed');
  }
  await forEach(staged, async ({ key, token, bytes }) => {
    await store.publish({ key, token, bytes });
    failpoint('commit.part');
  });
  if (ifExists === 'replace') {
    const replaced = foreign.filter((name) => partPattern.test(name));
    if (replaced.length > 0) await confirmLead();
    await forEach(replaced, (name) => store.remove(`${prefix}${name}`));
  }
  const bytes = Buffer.from(encodeManifest(manifest));
  failpoint('commit.success-before');
  await confirmLead();
  if (kept) return replaceManifest(store, prefix, bytes, spec);
  const written = await store.putIfAbsent(`${prefix}${successName}`, bytes);
  failpoint('commit.success-after');
  if (!written && (await readOwnManifest(store, prefix))?.jobId !== spec.jobId) {
    throw new MillraceError('output-exists', `another job has committed to ${outputUri} meanwhile`);
  }
}

/** As it was before the first try, so that a commit that cannot end can put it back. */
async function keepReplaced(stores: Stores, spec: JobSpec): Promise<void> {
  const { store, key: prefix } = stores.locate(spec.outputUri);
  const kept = locateJobFile(stores, spec, replacedName);
  await kept.store.putIfAbsent(kept.key, await collectBytes(store.read(`${prefix}${successName}`)));
}

/** Undefined when there was none. */
async function readReplaced(stores: Stores, spec: JobSpec): Promise<Buffer | undefined> {
  if (spec.ifExists !== 'append') return undefined;
  const { store, key } = locateJobFile(stores, spec, replacedName);
  return (await store.head(key)) ? collectBytes(store.read(key)) : undefined;
}

/** In one step: with `append` there is never a moment in which nothing says what the parts before are. */
async function replaceManifest(store: Store, prefix: string, bytes: Buffer, spec: JobSpec): Promise<void> {
  const writer = await store.stage(`${prefix}${successName}`, spec.jobId);
  try {
    await writer.write(bytes);
    await store.publish(await writer.seal());
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

export interface Discard {
  readonly spec: JobSpec;
  readonly parts: readonly OpenPart[];
  /** Indexes of parts of which more may be staged than is known. */
  readonly unsure: readonly number[];
  /** Maps that may have staged what they skipped. */
  readonly unsureMaps?: readonly number[] | undefined;
}

/** Nothing stays staged of the job. */
export async function discardStaged(
  stores: Stores,
  { spec, parts, unsure, unsureMaps = [] }: Discard,
): Promise<void> {
  const { store, key: prefix } = stores.locate(spec.outputUri);
  const kind = spec.reducers === 0 ? 'map' : 'reduce';
  const keys = unsure.map((index) => `${prefix}${partName(kind, spec.partOffset + index)}`);
  keys.push(...unsureMaps.map((map) => `${prefix}${badPartName(spec.partOffset + map)}`));
  // What a manifest is replaced with is staged, too.
  if (spec.ifExists === 'append') keys.push(`${prefix}${successName}`);
  try {
    await forEach(parts, async (part) => {
      await store.discard({ key: keyOf(stores, spec, part), token: part.token });
      failpoint('discard.part');
    });
  } finally {
    await store.sweep(prefix, spec.jobId, keys);
  }
}

/** Drops one part. Throws `internal` for what is no part of the job's output. */
export async function discardOpenPart(stores: Stores, spec: JobSpec, part: OpenPart): Promise<void> {
  const { store } = stores.locate(spec.outputUri);
  await store.discard({ key: keyOf(stores, spec, part), token: part.token });
}

/** Undoes a commit that began and cannot end: what of the job is visible goes. Its parts were checked to be nobody else's. */
export async function unpublishOutput(stores: Stores, { spec, parts }: Discard): Promise<void> {
  const { store, key: prefix } = stores.locate(spec.outputUri);
  // There after all when the answer to its put was lost and the store then away until nobody asked any more.
  if ((await readOwnManifest(store, prefix))?.jobId === spec.jobId) {
    const replaced = await readReplaced(stores, spec);
    if (replaced) await replaceManifest(store, prefix, replaced, spec);
    else await store.remove(`${prefix}${successName}`);
  }
  const keys = new Set(parts.map((part) => keyOf(stores, spec, part)));
  await forEach(keys, (key) => store.remove(key));
}

/** Some at once, all to the end: when it throws, with what failed first, nothing is under way any more. */
async function forEach<T>(items: Iterable<T>, run: (item: T) => Promise<void>): Promise<void> {
  const atOnce = pLimit(limits.publishesInFlightMax);
  const ends = await Promise.allSettled(Array.from(items, (item) => atOnce(run, item)));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Workers say where they stage: only parts of the job's own output are touched for them. */
function keyOf(stores: Stores, spec: JobSpec, { uri }: OpenPart): string {
  const name = uri.startsWith(spec.outputUri) ? uri.slice(spec.outputUri.length) : '';
  if (partPattern.test(name)) return stores.locate(uri).key;
  throw new MillraceError('internal', `${uri} is not a part of the output ${spec.outputUri}`);
}
