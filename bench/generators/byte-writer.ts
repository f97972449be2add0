/** Writes a file through one buffer that generators fill in place. */
import { closeSync, openSync, writeSync } from 'node:fs';

const bufferBytes = 1024 * 1024;

export class ByteWriter implements Disposable {
  readonly buffer = Buffer.allocUnsafeSlow(bufferBytes);
  /** Where the next byte goes; whoever filled the buffer moves it on. */
  at = 0;
  readonly #fd: number;
  #flushedBytes = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'w');
  }

  /** What is in the file and in the buffer. */
  get size(): number {
    return this.#flushedBytes + this.at;
  }

  /** Makes sure that so many bytes fit behind `at`. At most 1 MiB. */
  reserve(bytes: number): void {
    if (this.at + bytes > bufferBytes) this.flush();
  }

  /** ASCII only. */
  write(text: string): void {
    this.reserve(text.length);
    this.at += this.buffer.write(text, this.at, 'latin1');
  }

  flush(): void {
    for (let from = 0; from < this.at; ) from += writeSync(this.#fd, this.buffer, from, this.at - from);
    this.#flushedBytes += this.at;
    this.at = 0;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
