/** What the folder store says when the file system refuses. */
import { MillraceError } from '../errors.ts';

/** A MillraceError that names what was tried and the path: `cannot write /out/part-r-00000: ENOSPC: …`. */
export function folderError(verb: string, path: string, thrown: unknown): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  const { code, message } = MillraceError.from(thrown, 'store-failed');
  return new MillraceError(code, `cannot ${verb} ${path}: ${message}`, { cause: thrown });
}

export function hasCode(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code));
}

/** Nothing is there: no such name, or a file where a folder would have to be. */
export function isMissing(thrown: unknown): boolean {
  return hasCode(thrown, 'ENOENT', 'ENOTDIR');
}
