/**
 * Which places a job may name. The coordinator and the workers read and write with credentials of their own, so what a job names, a
 * client could reach through them.
 */
import { MillraceError } from '../lib/errors.ts';
import type { SubmittedSpec } from '../lib/job-spec.ts';
import { formatUri, parseUri } from '../lib/store/uri.ts';

export interface AllowedUris {
  /** Beginnings of URIs; undefined allows every place, but files only when `files` says so. */
  readonly prefixes: readonly string[] | undefined;
  /** Without prefixes: whether files of the coordinator's and the workers' hosts may be named. */
  readonly files: boolean;
  /** Of the coordinator's store, with a trailing slash. Job files and journal are nobody's output. */
  readonly storeUri: string;
}

/** Throws `permission-denied` naming the place and the setting. */
export function checkUris(
  { inputPatterns, outputUri }: Pick<SubmittedSpec, 'inputPatterns' | 'outputUri'>,
  allowed: AllowedUris,
): void {
  for (const pattern of inputPatterns) checkAllowed(pattern, 'the input', allowed);
  checkAllowed(outputUri, 'the output', allowed);
  const output = normalised(outputUri);
  const own = ['jobs/', 'log/'].map((folder) => normalised(`${allowed.storeUri}${folder}`));
  if (own.some((folder) => output.startsWith(folder) || folder.startsWith(output))) {
    throw new MillraceError(
      'permission-denied',
      `the output ${outputUri} would lie among the coordinator's own files in ${allowed.storeUri} (--store); choose another folder (-o)`,
    );
  }
}

function checkAllowed(uri: string, what: string, { prefixes, files }: AllowedUris): void {
  const text = normalised(uri);
  if (
    prefixes
      ? prefixes.some((prefix) => isBelow(text, normalised(prefix)))
      : files || !text.startsWith('file:')
  ) {
    return;
  }
  const why = prefixes
    ? `this coordinator allows only ${prefixes.join(', ')}`
    : 'this coordinator is reachable from other machines and allows no files of its own host';
  throw new MillraceError(
    'permission-denied',
    `${what} ${uri} is not allowed: ${why} (--allow on the coordinator)`,
  );
}

/** One spelling per place: `file://localhost/a` is `file:///a`, and percent-encoding is undone. A key with `..` is refused by every store. */
function normalised(uri: string): string {
  return formatUri(parseUri(uri));
}

/** `s3://logs/a` allows `s3://logs/a` and `s3://logs/a/b`, not `s3://logs/ab`. */
function isBelow(uri: string, prefix: string): boolean {
  return uri === prefix || uri.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}
