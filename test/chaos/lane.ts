/** One direction between two nodes of a test's network, and what is wrong with it. All connections between the two share it. */

export type LaneFault =
  /** Connections are reset, and new ones too. */
  | { readonly kind: 'cut' }
  /** As `cut`, once so many more bytes have gone this way. */
  | { readonly kind: 'cut-after'; readonly bytes: number }
  /** Nothing goes on and nobody is told: bytes, ends and resets wait until this is over. */
  | { readonly kind: 'hold' }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** Each chunk, one after the other: so it bounds the bandwidth as well. */
  | { readonly kind: 'delay'; readonly ms: number };

export class Lane {
  #fault: LaneFault | undefined;
  #changed = Promise.withResolvers<void>();
  /** Bytes that may go before `cut-after` cuts. */
  #left = Number.POSITIVE_INFINITY;
  /** When a slow lane has sent what it took. */
  #freeAtMs = 0;
  readonly #resets = new Set<() => void>();
  /** Bytes that went on, ever. */
  passedBytes = 0;

  get isCut(): boolean {
    return this.#fault?.kind === 'cut';
  }

  get isHeld(): boolean {
    return this.#fault?.kind === 'hold';
  }

  /** Undefined: as it should be. */
  set(fault: LaneFault | undefined): void {
    this.#fault = fault;
    this.#left = fault?.kind === 'cut-after' ? fault.bytes : Number.POSITIVE_INFINITY;
    this.#freeAtMs = 0;
    if (this.isCut) for (const reset of [...this.#resets]) reset();
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }

  /** `reset` is called when the lane is cut; the function that is returned takes it back. */
  onCut(reset: () => void): () => void {
    this.#resets.add(reset);
    return () => this.#resets.delete(reset);
  }

  async untilOpen(): Promise<void> {
    while (this.isHeld) await this.#changed.promise;
  }

  /** Resolves when they may go on, with how many of them may: fewer when the lane is cut amid them. */
  async admit(bytes: number): Promise<number> {
    await this.untilOpen();
    await this.#pause(this.#pauseMs(bytes));
    await this.untilOpen();
    const admitted = Math.min(bytes, this.#left);
    this.#left -= admitted;
    this.passedBytes += admitted;
    return admitted;
  }

  #pauseMs(bytes: number): number {
    const fault = this.#fault;
    if (fault?.kind === 'delay') return fault.ms;
    if (fault?.kind !== 'slow') return 0;
    const nowMs = performance.now();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (bytes / fault.bytesPerSecond) * 1000;
    return this.#freeAtMs - nowMs;
  }

  /** Shorter when the fault ends meanwhile. */
  async #pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([promise, this.#changed.promise]);
    clearTimeout(timer);
  }
}
