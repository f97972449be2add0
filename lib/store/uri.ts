/**
 * URIs of objects and folders: `file:///abs/path`, `mem://name/key`, `s3://bucket/key`. Paths of `file:` and `mem:` are
 * percent-encoded; `s3:` keys are taken as they stand, as every S3 tool does. A `?` or `#` is part of the name, never a
 * query, so that a pattern may be written plainly.
 */
import { isAbsolute } from 'node:path';
import { MillraceError } from '../errors.ts';

export type UriScheme = 'file' | 'mem' | 's3';

export interface ParsedUri {
  readonly scheme: UriScheme;
  /** The bucket, or the name of the memory store; empty for `file`. */
  readonly authority: string;
  /** Decoded, without the leading slash; a folder's ends with `/`. */
  readonly key: string;
}

/** Throws `invalid-argument` for anything but an absolute URI of a known scheme. */
export function parseUri(uri: string): ParsedUri {
  const match = /^(file|mem|s3):\/\/([^/]*)(?:\/(.*))?$/s.exec(uri);
  if (!match) {
    throw new MillraceError(
      'invalid-argument',
      `${JSON.stringify(uri)} is not a URI Millrace can read: use file:///path, s3://bucket/key or mem://name/key`,
    );
  }
  const scheme = match[1] as UriScheme;
  const authority = match[2] ?? '';
  const rest = match[3] ?? '';
  if (scheme === 'file') {
    if (authority !== '' && authority !== 'localhost') {
      throw new MillraceError(
        'invalid-argument',
        `${JSON.stringify(uri)} names the host ${JSON.stringify(authority)}; a file URI has three slashes: file:///path`,
      );
    }
    return { scheme, authority: '', key: decode(rest, uri) };
  }
  if (authority === '') {
    throw new MillraceError('invalid-argument', `${JSON.stringify(uri)} lacks a name after ${scheme}://`);
  }
  return { scheme, authority, key: scheme === 's3' ? rest : decode(rest, uri) };
}

/** The inverse of {@link parseUri}. */
export function formatUri(parsed: ParsedUri): string {
  const key = parsed.scheme === 's3' ? parsed.key : encode(parsed.key);
  return `${parsed.scheme}://${parsed.authority}/${key}`;
}

/** `/logs/a b#1.txt` to `file:///logs/a%20b%231.txt`. Glob characters survive the way there and back. */
export function fileUri(path: string): string {
  if (!isAbsolute(path)) {
    throw new MillraceError('invalid-argument', `${JSON.stringify(path)} is not an absolute path`);
  }
  return `file://${encode(path)}`;
}

/** The inverse of {@link fileUri}; throws `invalid-argument` for a URI of another scheme. */
export function uriToPath(uri: string): string {
  const { scheme, key } = parseUri(uri);
  if (scheme === 'file') return `/${key}`;
  throw new MillraceError('invalid-argument', `${JSON.stringify(uri)} is not a file URI`);
}

function encode(text: string): string {
  if (!text.isWellFormed()) {
    throw new MillraceError('invalid-argument', `${JSON.stringify(text)} is not well-formed Unicode`);
  }
  return encodeURI(text).replace(/[?#]/g, (char) => (char === '?' ? '%3F' : '%23'));
}

function decode(text: string, uri: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new MillraceError(
      'invalid-argument',
      `${JSON.stringify(uri)} is not percent-encoded correctly: write a literal % as %25`,
      { cause: error },
    );
  }
}
