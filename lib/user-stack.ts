/**
 * Stack traces of user code as users shall see them: their own files only, by paths of their project. The bundler names sources
 * `job:///src/p99.ts` (and our own code inside a bundle `millrace:///…`), so that a mapped frame says what it is wherever the bundle lies.
 */
import { relative } from 'node:path';
import { isOwnDependency, ownPath } from './own-code.ts';

const userScheme = 'job:///';
/** Sources of our own code in a bundle; frames of it are dropped. */
export const ownScheme = 'millrace:///';

const stackBytesMax = 8 * 1024;
const causesMax = 4;
const linesBefore = 2;
const mapComment = '//# sourceMappingURL=data:application/json;base64,';

/** The name of a source in a source map, from its path relative to the project. Survives URL normalisation, also for `../x.ts`. */
export function userSourceUrl(path: string): string {
  const parents = /^(?:\.\.\/)*/.exec(path)?.[0] ?? '';
  return (
    userScheme +
    encodeURIComponent(parents) +
    path.slice(parents.length).split('/').map(encodeURIComponent).join('/')
  );
}

/** The path that {@link userSourceUrl} was given; undefined for a source that is not the user's. */
export function userSourcePath(url: string): string | undefined {
  return url.startsWith(userScheme) ? decodePath('', url.slice(userScheme.length)) : undefined;
}

/**
 * The frames of the user's own files in the stack of whatever was thrown, one a line, its causes after it; at most 8 KiB; empty when
 * there is none. Frames of Node and of Millrace are left out. Without bundled frames (a job imported directly, as tests do) files
 * are shown relative to the working directory.
 */
export function userStack(thrown: unknown): string {
  const parts: string[] = [];
  let error = thrown;
  for (let depth = 0; depth <= causesMax && error instanceof Error; depth++) {
    const frames = userFrames(typeof error.stack === 'string' ? error.stack : '');
    if (depth === 0) parts.push(...frames);
    else parts.push(`Caused by ${error.name}: ${error.message}`, ...frames);
    error = error.cause;
  }
  return truncate(parts);
}

/** Where the first frame points, in the paths of {@link userStack}. */
export function topFrame(stack: string): { file: string; line: number; column: number } | undefined {
  const match = /^ +at (?:.*? \()?([^()\n]+):(\d+):(\d+)\)?$/m.exec(stack);
  if (!match) return undefined;
  return { file: match[1]!, line: Number(match[2]), column: Number(match[3]) };
}

/**
 * A few lines of a user's source, the one meant marked with `>`, from the sources that the inline map of a bundle carries.
 * `file` is a path as in {@link userStack}. Undefined when the bundle does not have it.
 */
export function sourceExcerpt(code: Uint8Array | string, file: string, line: number): string | undefined {
  const map = inlineMap(code);
  const index = map?.sources?.indexOf(userSourceUrl(file)) ?? -1;
  const content = map?.sourcesContent?.[index];
  return typeof content === 'string' ? excerptOf(content, line) : undefined;
}

/** The same from the text of the file. */
export function excerptOf(content: string, line: number): string | undefined {
  const lines = content.split(/\r?\n/);
  if (line < 1 || line > lines.length) return undefined;
  const from = Math.max(1, line - linesBefore);
  const width = String(line).length;
  return lines
    .slice(from - 1, line)
    .map((text, i) => {
      const number = from + i;
      return `${number === line ? ' > ' : '   '}${String(number).padStart(width)} | ${text.slice(0, 200)}`;
    })
    .join('\n');
}

interface SourceMapSources {
  readonly sources?: readonly string[];
  readonly sourcesContent?: readonly (string | null)[];
}

function inlineMap(code: Uint8Array | string): SourceMapSources | undefined {
  const bytes =
    typeof code === 'string' ? Buffer.from(code) : Buffer.from(code.buffer, code.byteOffset, code.byteLength);
  const start = bytes.lastIndexOf(mapComment);
  if (start < 0) return undefined;
  const base64 = bytes.toString('latin1', start + mapComment.length).trimEnd();
  return JSON.parse(Buffer.from(base64, 'base64').toString()) as SourceMapSources;
}

function userFrames(stack: string): string[] {
  const frames = stack.split('\n').filter((line) => /^ +at /.test(line));
  const bundled = frames.filter((frame) => frame.includes(userScheme));
  if (bundled.length > 0)
    return bundled.map((frame) => tidy(frame.replace(/job:\/\/\/([^\s()]*)/g, decodePath)));
  return frames.flatMap(frameOfFile);
}

function decodePath(whole: string, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return whole;
  }
}

/** A frame of a file on this machine, relative to the working directory; nothing for a frame that is Node's or ours. */
function frameOfFile(frame: string): string[] {
  const match = /(?:file:\/\/)?(\/[^()\n]*|[A-Za-z]:\\[^()\n]*):\d+:\d+\)?$/.exec(frame);
  if (!match || frame.includes('node:') || frame.includes(ownScheme)) return [];
  const path = match[0].startsWith('file://') ? decodePath(match[1]!, match[1]!) : match[1]!;
  if (ownPath(path) !== undefined || isOwnDependency(path)) return [];
  const shown = relative(process.cwd(), path);
  return [tidy(frame.replace(`file://${match[1]}`, shown).replace(match[1]!, shown))];
}

/** `    at map (src/p99.ts:8:20)`, without the receivers and placeholders that say nothing to a reader. */
function tidy(frame: string): string {
  const text = frame.trim().replace(/^at (?:Object|Module)\./, 'at ');
  return `    ${text.replace(/^at <anonymous> \((.*)\)$/, 'at $1')}`;
}

function truncate(lines: readonly string[]): string {
  let text = '';
  for (const line of lines) {
    const longer = text === '' ? line : `${text}\n${line}`;
    if (Buffer.byteLength(longer) > stackBytesMax) break;
    text = longer;
  }
  return text;
}
