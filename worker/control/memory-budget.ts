/** Memory that the reduces of a worker share for what they fetch: each takes a part when it begins and gives it back at its end. */
export class MemoryBudget {
  readonly #shareBytesMax: number;
  #bytesLeft: number;

  constructor(bytesMax: number, shareBytesMax: number) {
    this.#bytesLeft = bytesMax;
    this.#shareBytesMax = shareBytesMax;
  }

  /** The bytes granted: less than a full share, even none, when others hold much. */
  take(): number {
    const bytes = Math.min(this.#shareBytesMax, this.#bytesLeft);
    this.#bytesLeft -= bytes;
    return bytes;
  }

  give(bytes: number): void {
    this.#bytesLeft += bytes;
  }
}
