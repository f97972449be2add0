/** Where a cluster of the matrix keeps everything: a bucket or a folder, looked at from outside. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Bucket } from '../e2e/bucket.ts';
import { filesBelow } from './files-below.ts';

export interface Place {
  uri(key: string): string;
  put(key: string, text: string): Promise<void>;
  text(key: string): Promise<string>;
  /** Of visible objects that begin with it, sorted. */
  keys(prefix: string): Promise<string[]>;
  /** What is staged or temporary: pending uploads under these keys of the output `prefix`, or files anywhere that nobody should see. */
  unfinished(prefix: string, names: readonly string[]): Promise<string[]>;
}

export function bucketPlace(bucket: Bucket): Place {
  return {
    uri: (key) => bucket.uri(key),
    put: (key, text) => bucket.put(key, text),
    text: (key) => bucket.text(key),
    keys: (prefix) => bucket.keys(prefix),
    unfinished: (prefix, names) => bucket.pending(names.map((name) => `${prefix}${name}`)),
  };
}

export function folderPlace(root: string): Place {
  const filesOf = (prefix: string) =>
    filesBelow(join(root, prefix))
      .map((path) => relative(root, path))
      .sort();
  const isHidden = (key: string) => key.split('/').some((name) => name.startsWith('.millrace-'));
  return {
    uri: (key) => `file://${join(root, key)}`,
    async put(key, text) {
      mkdirSync(dirname(join(root, key)), { recursive: true });
      writeFileSync(join(root, key), text);
    },
    text: async (key) => readFileSync(join(root, key), 'latin1'),
    keys: async (prefix) => filesOf(prefix).filter((key) => !isHidden(key)),
    // The files of a job whose submission died with its coordinator stay, whole or not: nobody knows of the job.
    unfinished: async () => filesOf('').filter((key) => isHidden(key) && !key.startsWith('jobs/')),
  };
}
