/** What a map reads: compressed input, which has checksums of its own, and input that changed after it was cut into splits. */
import { createHash } from 'node:crypto';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Split } from '../../../lib/job-spec.ts';
import { createStores } from '../../../lib/store/resolve.ts';
import { fileUri } from '../../../lib/store/uri.ts';
import { readSplit } from '../../../worker/map/read-split.ts';
import type { Random } from '../../core/fake-cluster.ts';
import type { TargetKind } from '../target.ts';

const stores = createStores();

async function readLines(split: Split): Promise<string> {
  const hash = createHash('sha256');
  let lines = 0;
  for await (const batch of readSplit(split, { kind: 'lines' }, stores)) {
    while (batch.next()) {
      hash.update(JSON.stringify(batch.record));
      lines++;
    }
  }
  return `${lines} lines ${hash.digest('hex').slice(0, 16)}`;
}

function textOf(random: Random, lines: number): string {
  return Array.from({ length: lines }, (_, i) => `${i} line ${random.below(1e6)}\n`).join('');
}

/** Two members or frames, and a store that cannot tell that an object changed: what is left are the checksums inside. */
function compressedInput(name: string, compress: (text: string) => Buffer, trailerBytes: number): TargetKind {
  return {
    name: `${name} input`,
    share: 1,
    make(folder, random) {
      const members = [compress(textOf(random, 60)), compress(textOf(random, 25))] as const;
      const whole = Buffer.concat(members);
      const path = join(folder, `input.${name === 'gzip' ? 'gz' : 'zst'}`);
      const bytes = whole.length;
      const piece = { uri: fileUri(path), start: 0, end: bytes, objectBytes: bytes, etag: '' };
      const first = members[0].length;
      return {
        whole,
        boundaries: [4, 10, first - trailerBytes, first, first + 4, first + 10, bytes - trailerBytes, bytes],
        others: [],
        async read(damaged) {
          writeFileSync(path, damaged);
          return readLines({ pieces: [piece], bytes, hosts: [] });
        },
      };
    },
  };
}

const zstdWithChecksum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

export const gzipInput = compressedInput('gzip', (text) => gzipSync(text), 8);
export const zstdInput = compressedInput('zstd', (text) => zstdCompressSync(text, zstdWithChecksum), 4);

/** Text has no checksum: that it is not what was listed is seen by the etag of its store. */
export const changedInput: TargetKind = {
  name: 'text input changed after it was listed',
  share: 1,
  async make(folder, random) {
    const whole = Buffer.from(textOf(random, 50));
    const path = join(folder, 'input.txt');
    const { store, key } = stores.locate(fileUri(path));
    const put = (bytes: Buffer) => {
      writeFileSync(path, bytes);
      // What was listed is older than a tick of the file system's clock.
      if (bytes.equals(whole)) utimesSync(path, 1_000_000, 1_000_000);
    };
    put(whole);
    const listed = await store.head(key);
    const bytes = whole.length;
    const pieces = [0, 400].map((start, i, starts) => ({
      uri: fileUri(path),
      start,
      end: starts[i + 1] ?? bytes,
      objectBytes: bytes,
      etag: listed!.etag,
    }));
    return {
      whole,
      boundaries: [400, bytes],
      others: [Buffer.from(textOf(random, 50))],
      async read(damaged) {
        put(damaged);
        return readLines({ pieces, bytes, hosts: [] });
      },
    };
  },
};
