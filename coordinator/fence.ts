/**
 * Whether the store still refuses to create what is there: nothing else keeps two coordinators from leading. A store that was right at the
 * start may be replaced, restored or upgraded under a leader; one that then lets it write over its successor's entry is found out here.
 */
import type { Clock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import type { StoreLocation } from '../lib/store/store.ts';
import { parseUri } from '../lib/store/uri.ts';

export class Fence {
  readonly #location: StoreLocation;
  readonly #clock: Clock;
  readonly #goodForMs: number;
  readonly #isKnown: boolean;
  #post: { readonly key: string; readonly bytes: Uint8Array } | undefined;
  #provenAtMs = Number.NEGATIVE_INFINITY;

  /** Nobody politely takes the lead from a leader that was heard within `goodForMs`: so long a proof is good. */
  constructor(location: StoreLocation, clock: Clock, goodForMs: number) {
    this.#location = location;
    this.#clock = clock;
    this.#goodForMs = goodForMs;
    // What a folder does is known; what answers as S3 may be anything.
    this.#isKnown = parseUri(location.uri).scheme !== 's3';
  }

  /** This object is there and never goes: that it cannot be created again is the proof. */
  set(key: string, bytes: Uint8Array): void {
    this.#post = { key, bytes };
  }

  /** Asks the store unless it was asked just now. Throws `wrong-state` when it is no fence, and what the store throws. */
  async prove(): Promise<void> {
    const askedAtMs = this.#clock.monotonicMs();
    if (this.#isKnown || !this.#post || askedAtMs - this.#provenAtMs < this.#goodForMs) return;
    const { store, uri } = this.#location;
    const { key, bytes } = this.#post;
    if (await store.putIfAbsent(key, bytes)) {
      throw new MillraceError(
        'wrong-state',
        `cannot lead on ${uri} any more (--store, MILLRACE_STORE): the store ignores conditional writes (If-None-Match), or somebody ` +
          `removed files of the journal: ${key} was there and could be created again. Nothing was done of what was being decided; ` +
          'see minio/README.md for stores that honour them',
      );
    }
    this.#provenAtMs = askedAtMs;
  }
}
