/** A Submit stream -> a checked spec and the bundle's bytes. */
import { createHash } from 'node:crypto';
import { MillraceError } from '../lib/errors.ts';
import type { SubmittedSpec } from '../lib/job-spec.ts';
import { checkLimit, limits } from '../lib/limits.ts';
import { parseSubmittedSpec } from '../lib/parse-spec.ts';

export interface Submission {
  readonly spec: SubmittedSpec;
  readonly bundle: Buffer;
}

interface Chunk {
  readonly specJson: string;
  readonly bundle: Buffer;
}

/** Throws for a spec that does not parse, a bundle that is too large or is not what the spec's hash says. */
export async function readSubmission(chunks: AsyncIterable<Chunk>): Promise<Submission> {
  let specJson = '';
  let bundleBytes = 0;
  const bundle: Buffer[] = [];
  for await (const chunk of chunks) {
    specJson ||= chunk.specJson;
    bundleBytes += chunk.bundle.length;
    checkLimit(
      'the size of the bundle in bytes',
      bundleBytes,
      limits.bundleBytesMax,
      'ship data as input or params, not as code',
    );
    bundle.push(chunk.bundle);
  }
  const spec = parseSubmittedSpec(specJson);
  const bytes = Buffer.concat(bundle);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== spec.bundleSha256) {
    throw new MillraceError(
      'corrupt',
      `the bundle arrived with SHA-256 ${sha256}, the client sent ${spec.bundleSha256}`,
    );
  }
  return { spec, bundle: bytes };
}
