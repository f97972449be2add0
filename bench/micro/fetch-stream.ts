/** One stream of the shuffle, from the files of a serving process into the memory of a fetching one, per CPU second of both. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shuffleStream } from '../experiments/shuffle-stream.ts';
import type { Result } from '../result.ts';
import type { Rate } from './rate.ts';

const runs = 5;

export async function fetchStream(): Promise<Rate[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fetch-stream-'));
  const input = () => {
    throw new Error('the shuffle stream makes its own input');
  };
  try {
    const { results } = await shuffleStream.run({ runs, folder, input, say: () => undefined });
    return results.filter(({ unit }) => unit === 'CPU s').map(rateOf);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** From CPU seconds for a gigabyte. */
function rateOf({ subject, metric, parameters, samples }: Result): Rate {
  const wire = parameters.mtls ? 'mTLS' : 'plain';
  return {
    what: `${subject}, ${wire}, ${metric.replace('per GB, ', '')}`,
    unit: 'MB/s',
    samples: samples.map((seconds) => 1000 / seconds),
  };
}
