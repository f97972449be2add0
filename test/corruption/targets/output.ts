/** A job's output: parts while they are staged and when they are published, and `_SUCCESS`. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildManifest } from '../../../coordinator/build-manifest.ts';
import type { OutputFormat } from '../../../lib/formats.ts';
import { collectBytes } from '../../../lib/iterables.ts';
import type { JobSpec, StagedPart } from '../../../lib/job-spec.ts';
import { createStores } from '../../../lib/store/resolve.ts';
import { fileUri } from '../../../lib/store/uri.ts';
import { encodeManifest, type SuccessManifest } from '../../../lib/success-manifest.ts';
import { readOutput } from '../../../sdk/read-output.ts';
import { createPartWriter } from '../../../worker/reduce/write-output.ts';
import type { Random } from '../../core/fake-cluster.ts';
import type { TargetKind } from '../target.ts';

const stores = createStores();
const facts = {
  inputRecords: 9,
  inputBytes: 90,
  intermediateRecords: 9,
  intermediateBytes: 99,
  counters: { seen: 4 },
};
const partNames = ['part-r-00000', 'part-r-00001'] as const;

interface StagedOutput {
  readonly uri: string;
  readonly folder: string;
  readonly parts: readonly StagedPart[];
  readonly manifest: SuccessManifest;
}

async function stageOutput(folder: string, random: Random, output: OutputFormat): Promise<StagedOutput> {
  const uri = fileUri(`${folder}/`);
  const jobId = randomUUID();
  const parts: StagedPart[] = [];
  for (const name of partNames) {
    const part = await createPartWriter(stores.locate(`${uri}${name}`), output, jobId);
    for (let i = 0; i < 40; i++) await part.write([`key-${String(i).padStart(3, '0')}`, random.below(1000)]);
    parts.push(await part.finish());
  }
  const spec = { jobId, name: 'words', reducers: 2, partOffset: 0, output } as JobSpec;
  return { uri, folder, parts, manifest: buildManifest(spec, parts, facts, undefined) };
}

async function publish({ parts }: StagedOutput): Promise<void> {
  for (const { uri: part, token, bytes } of parts) {
    const { store, key } = stores.locate(part);
    await store.publish({ key, token, bytes });
  }
}

async function readAll(uri: string): Promise<string> {
  const records: unknown[] = [];
  for await (const record of readOutput(stores, uri)) records.push(record);
  return JSON.stringify(records);
}

function pathOfStaged({ folder, parts }: StagedOutput): string {
  const [staging] = readdirSync(folder).filter((name) => name.startsWith('.millrace-'));
  const id = parts[0]!.token.split('/')[1]!;
  const names = readdirSync(join(folder, staging!));
  return join(folder, staging!, names.find((name) => name.includes(id))!);
}

function publishedPart(output: OutputFormat): TargetKind {
  return {
    name: `part of an output, ${output.kind} ${output.compression}`,
    share: 1,
    async make(folder, random) {
      const staged = await stageOutput(join(folder, 'out'), random, output);
      await publish(staged);
      const path = join(staged.folder, partNames[0]);
      writeFileSync(join(staged.folder, '_SUCCESS'), encodeManifest(staged.manifest));
      const foreign = await stageOutput(join(folder, 'foreign'), random, output);
      await publish(foreign);
      const whole = readFileSync(path);
      return {
        whole,
        boundaries: boundariesOf(whole, output),
        others: [
          readFileSync(join(staged.folder, partNames[1])),
          readFileSync(join(foreign.folder, partNames[0])),
        ],
        async read(bytes) {
          writeFileSync(path, bytes);
          return readAll(staged.uri);
        },
      };
    },
  };
}

/** Of records, or of the frame of a compressed part. */
function boundariesOf(whole: Buffer, { compression }: OutputFormat): number[] {
  if (compression !== 'none') return [10, whole.length - 8, whole.length - 4, whole.length];
  const ends: number[] = [];
  for (let at = whole.indexOf(10); at >= 0; at = whole.indexOf(10, at + 1)) ends.push(at + 1);
  return ends;
}

/** Each injection stages an output of its own: what is published is not staged any more. */
export const stagedPart: TargetKind = {
  name: 'part that is staged',
  share: 0.5,
  async make(folder, random) {
    const output: OutputFormat = { kind: 'tsv', compression: 'none' };
    const model = await stageOutput(join(folder, 'model'), random, output);
    const foreign = await stageOutput(join(folder, 'foreign'), random, output);
    const path = pathOfStaged(model);
    const whole = readFileSync(path);
    const second = model.parts[1]!.token.split('/')[1]!;
    const sibling = path
      .replace(model.parts[0]!.token.split('/')[1]!, second)
      .replace(partNames[0], partNames[1]);
    return {
      whole,
      boundaries: boundariesOf(whole, output),
      others: [readFileSync(sibling), readFileSync(pathOfStaged(foreign))],
      async read(bytes) {
        writeFileSync(path, bytes);
        await publish({ ...model, parts: model.parts.slice(0, 1) });
        const manifest = { ...model.manifest, parts: model.manifest.parts.slice(0, 1) };
        writeFileSync(join(model.folder, '_SUCCESS'), encodeManifest(manifest));
        return readAll(model.uri);
      },
    };
  },
};

export const manifest: TargetKind = {
  name: '_SUCCESS',
  share: 1.5,
  async make(folder, random) {
    const output: OutputFormat = { kind: 'tsv', compression: 'none' };
    const [staged, foreign] = [
      await stageOutput(join(folder, 'out'), random, output),
      await stageOutput(join(folder, 'foreign'), random, output),
    ];
    await publish(staged);
    const { store, key } = stores.locate(`${staged.uri}_SUCCESS`);
    const whole = Buffer.from(encodeManifest({ ...staged.manifest, jobId: 'job-1' }));
    const other = Buffer.from(encodeManifest({ ...foreign.manifest, jobId: 'job-2' }));
    return {
      whole,
      boundaries: boundariesOf(whole, output),
      others: [other],
      async read(bytes) {
        await store.put(key, bytes);
        const told = (await collectBytes(store.read(key))).toString();
        const records = await readAll(staged.uri);
        return `${told} ${records}`;
      },
    };
  },
};

export const publishedParts: readonly TargetKind[] = [
  publishedPart({ kind: 'tsv', compression: 'none' }),
  publishedPart({ kind: 'jsonl', compression: 'gzip' }),
  publishedPart({ kind: 'tsv', compression: 'zstd' }),
];
