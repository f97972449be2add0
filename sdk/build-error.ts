/** Errors of the bundler as users shall see them. */
import type { BuildFailure, Message } from 'esbuild';
import { MillraceError } from '../lib/errors.ts';
import { jobFileError } from './job-file-error.ts';

const errorsShownMax = 5;

/** `job-file` with each mistake as `file:line:column: message` and its source line; anything but a build failure stays what it is. */
export function buildError(thrown: unknown, jobFile: string): MillraceError {
  const errors = (thrown as Partial<BuildFailure> | undefined)?.errors;
  if (!Array.isArray(errors) || errors.length === 0) return MillraceError.from(thrown);
  const shown = errors.slice(0, errorsShownMax).map(formatMessage);
  if (errors.length > errorsShownMax) shown.push(`… and ${errors.length - errorsShownMax} more`);
  return jobFileError([`${jobFile} cannot be bundled`, ...shown].join('\n'), { cause: thrown });
}

function formatMessage({ location, text, notes }: Message): string {
  const advice = notes.map((note) => `  ${note.text}`);
  if (!location) return [text, ...advice].join('\n');
  const { file, line, column, length, lineText } = location;
  const number = String(line);
  // esbuild counts columns in bytes, from 0.
  const before = Buffer.from(lineText).subarray(0, column).toString();
  const marker = '^'.repeat(Math.max(1, Math.min(length, lineText.length - before.length)));
  return [
    `${file}:${line}:${before.length + 1}: ${text}`,
    ` > ${number} | ${lineText}`,
    `   ${' '.repeat(number.length)} | ${before.replace(/[^\t]/g, ' ')}${marker}`,
    ...advice,
  ].join('\n');
}
