/**
 * What a buffer that was closed leaves to the next one of this thread: to grow again in fresh memory costs a task of 12 MB about a tenth
 * of its time in page faults and garbage collections.
 */
export class IdleMemory {
  #memory: ArrayBuffer | undefined;

  /** The memory that was left, unless it is larger than `bytesMax`: then it stays for somebody else. */
  take(bytesMax: number): ArrayBuffer | undefined {
    const memory = this.#memory;
    if (memory === undefined || memory.byteLength > bytesMax) return undefined;
    this.#memory = undefined;
    return memory;
  }

  /** Only the largest is kept. */
  leave(memory: ArrayBuffer): void {
    if (memory.byteLength > (this.#memory?.byteLength ?? 0)) this.#memory = memory;
  }
}
