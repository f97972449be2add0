/** Which source a function of a profile is of: by source maps, in what is built and in the bundles of jobs. */
import { existsSync, readFileSync } from 'node:fs';
import { findSourceMap, SourceMap } from 'node:module';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownPath } from '../../lib/own-code.ts';
import { userSourcePath } from '../../lib/user-stack.ts';
import type { Frame } from './stage-of.ts';

/** As V8 says it: where the function begins, counted from 0. */
export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

export interface SourceFrame extends Frame {
  /** Of a user's function: its source. From 1; 0 when it is not known. */
  readonly line: number;
}

/** What a job is bundled to is named by its hash. */
const bundleName = /^[0-9a-f]{64}\.mjs$/;

export class FrameSources {
  readonly #maps = new Map<string, SourceMap | undefined>();

  read({ functionName: name, url, lineNumber, columnNumber }: CallFrame): SourceFrame {
    const none = { name, isUser: false, line: 0 };
    if (!url.startsWith('file:')) return none;
    const path = fileURLToPath(url);
    const isBundle = bundleName.test(basename(path));
    const own = isBundle ? undefined : ownPath(path);
    if (!isBundle && (own === undefined || path.endsWith('.ts'))) return { ...none, file: own };
    const entry = this.#mapOf(url, path)?.findEntry(lineNumber, columnNumber);
    const source = entry && 'originalSource' in entry ? entry.originalSource : undefined;
    if (!isBundle)
      return { ...none, file: source?.startsWith('file:') ? ownPath(fileURLToPath(source)) : own };
    const file = source === undefined ? undefined : userSourcePath(source);
    // Our own code in a bundle works for whoever calls it.
    return file === undefined
      ? none
      : { name, isUser: true, file, line: (entry as { originalLine: number }).originalLine + 1 };
  }

  #mapOf(url: string, path: string): SourceMap | undefined {
    if (!this.#maps.has(url)) this.#maps.set(url, findSourceMap(path) ?? readMap(url, path));
    return this.#maps.get(url);
  }
}

/** Node knows the maps of what was loaded after it was told to look for them; that of the thread's own entry lies beside it. */
function readMap(url: string, path: string): SourceMap | undefined {
  if (!existsSync(`${path}.map`)) return undefined;
  const payload = JSON.parse(readFileSync(`${path}.map`, 'utf8'));
  return new SourceMap({
    ...payload,
    sources: payload.sources.map((source: string) => new URL(source, url).href),
  });
}
