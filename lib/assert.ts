/** Assertions for programmer errors. An operating error (a lost worker, bad input) is never asserted: it is an event or a MillraceError. */

/** Thrown when the program itself is wrong; never caught and carried on from. */
export class AssertionError extends Error {
  override name = 'AssertionError';
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Makes a `switch` over a closed union exhaustive at compile time. */
export function assertNever(value: never, what = 'value'): never {
  throw new AssertionError(`unexpected ${what}: ${JSON.stringify(value)}`);
}
