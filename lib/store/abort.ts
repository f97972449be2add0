import { MillraceError } from '../errors.ts';

/** Throws what the signal was aborted with: a MillraceError as it is, anything else as `cancelled`. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw MillraceError.from(signal.reason, 'cancelled');
}
