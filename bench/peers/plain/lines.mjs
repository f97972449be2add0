import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** The lines of a file, without their ends. */
export const linesOf = (path) =>
  createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
