/** A Submit stream -> a checked spec and the bundle's bytes. */
import { createHash } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
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

/**
 * Throws for a spec that does not parse, a bundle that is too large or is not what the spec's hash says, and `timeout` for a client
 * that stops sending in between.
 */
export async function readSubmission(chunks: AsyncIterable<Chunk>, clock: Clock): Promise<Submission> {
  let specJson = '';
  let bundleBytes = 0;
  const bundle: Buffer[] = [];
  for await (const chunk of steadily(chunks, clock)) {
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

/** The same chunks; throws `timeout` when the next one, or all of them, are too long in coming: what came so far is held in memory. */
async function* steadily<T>(chunks: AsyncIterable<T>, clock: Clock): AsyncGenerator<T, void, void> {
  const iterator = chunks[Symbol.asyncIterator]();
  const endMs = clock.monotonicMs() + limits.submitMsMax;
  for (;;) {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const idleMs = Math.min(limits.submitIdleMsMax, Math.max(0, endMs - clock.monotonicMs()));
    const cancel = clock.after(idleMs, () => reject(tooSlow(idleMs)));
    try {
      const next = await Promise.race([iterator.next(), late]);
      if (next.done) return;
      yield next.value;
    } finally {
      cancel();
    }
  }
}

function tooSlow(idleMs: number): MillraceError {
  const why =
    idleMs === limits.submitIdleMsMax
      ? `the submission stopped: nothing came for ${idleMs / 1_000} s`
      : `the submission took longer than ${limits.submitMsMax / 60_000} min`;
  return new MillraceError('timeout', `${why}; submit again`);
}
