/** A place where bytes can go wrong, and the real code that reads them there. */
import type { Random } from '../core/fake-cluster.ts';
import type { Specimen } from './damage.ts';

export interface Target extends Specimen {
  /**
   * Puts the bytes in their place and reads them as the product does: what its user would get, as text. Throws what the product says,
   * or {@link Noticed} where that is no exception.
   */
  read(bytes: Buffer): Promise<string>;
  close?(): Promise<void> | void;
}

export interface TargetKind {
  readonly name: string;
  /** Of all injections: those of a target with 2 are twice as many as those of one with 1. */
  readonly share: number;
  /** The same for the same random numbers. `folder` is its own. */
  make(folder: string, random: Random): Promise<Target> | Target;
}

/** The damage was seen and nothing wrong came of it: a report, a retry, something that is dropped. */
export class Noticed extends Error {
  override name = 'Noticed';
}
