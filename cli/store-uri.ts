import { resolve } from 'node:path';
import { fileUri } from '../lib/store/uri.ts';

/** `--store` as a URL; a plain path is a folder on this machine. */
export function storeUriOf(text: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${fileUri(resolve(text)).replace(/\/$/, '')}/`;
}
