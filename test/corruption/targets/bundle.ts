/** The code of a job: as it lies in the store, and as a worker keeps it. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobSpec } from '../../../lib/job-spec.ts';
import { createStores } from '../../../lib/store/resolve.ts';
import { fileUri } from '../../../lib/store/uri.ts';
import { loadJob } from '../../../worker/user/load-job.ts';
import type { TargetKind } from '../target.ts';

function bundleTarget(name: string, damaged: 'stored' | 'kept'): TargetKind {
  return {
    name,
    share: 0.5,
    make(folder, random) {
      const sourceOf = (job: string) =>
        Buffer.from(`// ${random.next()}\nexport default {\n  millraceJob: 1,\n  name: '${job}',\n};\n`);
      const [whole, other] = [sourceOf('right'), sourceOf('wrong')];
      const sha256 = createHash('sha256').update(whole).digest('hex');
      const stored = join(folder, 'bundle.mjs');
      const spec = { name: 'j', bundle: { uri: fileUri(stored), sha256, bytes: whole.length } } as JobSpec;
      let loads = 0;
      return {
        whole,
        boundaries: [whole.indexOf(10) + 1, whole.length - 3, whole.length],
        others: [other],
        async read(bytes) {
          const directory = join(folder, `kept-${damaged === 'kept' ? '' : loads++}`);
          mkdirSync(directory, { recursive: true });
          writeFileSync(stored, damaged === 'stored' ? bytes : whole);
          if (damaged === 'kept') writeFileSync(join(directory, `${sha256}.mjs`), bytes);
          const { name: loaded } = await loadJob(spec, createStores(), directory);
          return `${loaded}, kept ${readdirSync(directory).join()}`;
        },
      };
    },
  };
}

export const storedBundle = bundleTarget('bundle in the store', 'stored');
export const keptBundle = bundleTarget('bundle kept by a worker', 'kept');
