/** Generated input, kept in a folder from one benchmark to the next. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type GeneratedKind, generate } from './generate.ts';

/** Raised whenever a generator makes other bytes, so that nobody measures with the old ones. */
const generation = 1;

export class Inputs {
  readonly #folder: string;
  readonly #seed: number;
  readonly #say: (line: string) => void;

  constructor(folder: string, seed: number, say: (line: string) => void) {
    this.#folder = folder;
    this.#seed = seed;
    this.#say = say;
  }

  /** The path of such an input, a file or a folder; made unless it is there. */
  get(kind: GeneratedKind, size: number): string {
    const path = join(this.#folder, `${kind}-${size}-${this.#seed}-v${generation}`);
    if (existsSync(path)) return path;
    this.#say(`making ${path}`);
    mkdirSync(this.#folder, { recursive: true });
    // Whoever is killed while it writes leaves nothing that looks whole.
    const unfinished = `${path}.making`;
    rmSync(unfinished, { recursive: true, force: true });
    generate(kind, size, unfinished, this.#seed);
    renameSync(unfinished, path);
    return path;
  }
}
