/** The files of a folder that programs are writing to and removing from. */
import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of all files in it and below, in no order; none when it is not there. */
export function filesBelow(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (thrown) {
    // Removed since its parent was read; `recursive` of Node throws then, and gives nothing of the others.
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw thrown;
  }
}
