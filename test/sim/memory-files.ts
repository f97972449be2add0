/** A file system in memory with the errors of a real one: what the disks of simulated workers consist of. */
import { dirname } from 'node:path';

/** What a file holds, whatever its name is now, and whether it has one. */
interface Content {
  bytes: Buffer;
  size: number;
}

export interface FileEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

const roomMin = 256;

/** An open file: its bytes stay although its name is taken away. */
export class OpenFile {
  readonly #content: Content;
  /** Where the next write without a place goes. */
  #at = 0;

  constructor(content: Content) {
    this.#content = content;
  }

  get size(): number {
    return this.#content.size;
  }

  /** Into `target` from `start` on; gives how many bytes there were. */
  read(target: Uint8Array, start: number, length: number, position: number): number {
    const { bytes, size } = this.#content;
    const end = Math.min(size, position + length);
    if (end <= position) return 0;
    target.set(bytes.subarray(position, end), start);
    return end - position;
  }

  write(source: Uint8Array, start: number, length: number, position = this.#at): void {
    const content = this.#content;
    const end = position + length;
    if (end > content.bytes.length) {
      const larger = Buffer.alloc(Math.max(end, content.bytes.length * 2, roomMin));
      content.bytes.copy(larger, 0, 0, content.size);
      content.bytes = larger;
    }
    content.bytes.set(source.subarray(start, start + length), position);
    content.size = Math.max(content.size, end);
    this.#at = end;
  }
}

export class MemoryFiles {
  readonly #root: string;
  readonly #files = new Map<string, Content>();
  readonly #folders = new Set<string>();

  /** `root`: an absolute path; the folder that all others are in, and that is always there. */
  constructor(root: string) {
    this.#root = root;
  }

  open(path: string, flags: 'r' | 'w'): OpenFile {
    if (flags === 'r') return new OpenFile(this.#content(path, 'open'));
    this.#checkFolder(path, 'open');
    const content = this.#files.get(path) ?? { bytes: Buffer.alloc(0), size: 0 };
    content.size = 0;
    this.#files.set(path, content);
    return new OpenFile(content);
  }

  /** With all folders above. */
  makeFolder(path: string): void {
    for (let folder = path; folder !== this.#root; folder = dirname(folder)) this.#folders.add(folder);
  }

  isThere(path: string): boolean {
    return this.#files.has(path) || this.#isFolder(path);
  }

  list(folder: string): FileEntry[] {
    if (!this.#isFolder(folder)) throw noEntry('scandir', folder);
    const names = (paths: Iterable<string>, isFolder: boolean) =>
      [...paths]
        .filter((path) => dirname(path) === folder)
        .map((path) => ({ name: path.slice(folder.length + 1), isFolder }));
    const entries = [...names(this.#folders, true), ...names(this.#files.keys(), false)];
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Paths of all files below, in order. */
  filesBelow(folder: string): string[] {
    return [...this.#files.keys()].filter((path) => path.startsWith(`${folder}/`)).sort();
  }

  read(path: string): Buffer {
    const { bytes, size } = this.#content(path, 'open');
    return Buffer.from(bytes.subarray(0, size));
  }

  write(path: string, bytes: Uint8Array): void {
    this.open(path, 'w').write(bytes, 0, bytes.length);
  }

  /** A file or a folder with all that is in it; takes the place of a file. */
  rename(from: string, to: string): void {
    if (!this.isThere(from)) throw noEntry('rename', from);
    this.#checkFolder(to, 'rename');
    const moved = (path: string) => `${to}${path.slice(from.length)}`;
    for (const path of [...this.#folders]) {
      if (!isIn(path, from)) continue;
      this.#folders.delete(path);
      this.#folders.add(moved(path));
    }
    for (const [path, content] of [...this.#files]) {
      if (!isIn(path, from)) continue;
      this.#files.delete(path);
      this.#files.set(moved(path), content);
    }
  }

  /** A file or a folder with all that is in it; nothing happens when it is not there. */
  remove(path: string): void {
    for (const one of [...this.#folders]) if (isIn(one, path)) this.#folders.delete(one);
    for (const one of [...this.#files.keys()]) if (isIn(one, path)) this.#files.delete(one);
  }

  #isFolder(path: string): boolean {
    return path === this.#root || this.#folders.has(path);
  }

  #content(path: string, what: string): Content {
    const content = this.#files.get(path);
    if (!content) throw noEntry(what, path);
    return content;
  }

  #checkFolder(path: string, what: string): void {
    if (!this.#isFolder(dirname(path))) throw noEntry(what, path);
  }
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** As the kernel has it. */
export function fileError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}

function noEntry(what: string, path: string): Error {
  return fileError('ENOENT', `no such file or directory, ${what} '${path}'`);
}
