/**
 * The one error class of the project, its code list and the one funnel into it.
 * An error that users see names the thing, the limit or value, and the setting to change.
 * What fails a task attempt is data, not an exception: see attempt-failure.ts.
 */

/** Every code: whether a later try may succeed, the gRPC status number, and the exit code of the command line. */
export const errorCodes = {
  'invalid-argument': { retryable: false, grpcStatus: 3, exitCode: 2 },
  'job-file': { retryable: false, grpcStatus: 3, exitCode: 2 },
  'no-input': { retryable: false, grpcStatus: 3, exitCode: 2 },
  'output-exists': { retryable: false, grpcStatus: 6, exitCode: 2 },
  'limit-exceeded': { retryable: false, grpcStatus: 8, exitCode: 2 },
  'not-found': { retryable: false, grpcStatus: 5, exitCode: 2 },
  unauthenticated: { retryable: false, grpcStatus: 16, exitCode: 2 },
  'permission-denied': { retryable: false, grpcStatus: 7, exitCode: 2 },
  'wrong-state': { retryable: false, grpcStatus: 9, exitCode: 1 },
  'job-failed': { retryable: false, grpcStatus: 9, exitCode: 1 },
  'bad-records': { retryable: false, grpcStatus: 9, exitCode: 1 },
  'non-deterministic': { retryable: false, grpcStatus: 9, exitCode: 1 },
  'malformed-record': { retryable: false, grpcStatus: 3, exitCode: 1 },
  'not-encodable': { retryable: false, grpcStatus: 3, exitCode: 1 },
  'input-changed': { retryable: false, grpcStatus: 9, exitCode: 1 },
  cancelled: { retryable: false, grpcStatus: 1, exitCode: 4 },
  unavailable: { retryable: true, grpcStatus: 14, exitCode: 3 },
  'store-failed': { retryable: true, grpcStatus: 14, exitCode: 3 },
  'no-space': { retryable: true, grpcStatus: 8, exitCode: 3 },
  corrupt: { retryable: true, grpcStatus: 15, exitCode: 3 },
  timeout: { retryable: true, grpcStatus: 4, exitCode: 3 },
  internal: { retryable: false, grpcStatus: 13, exitCode: 1 },
} as const;

export type ErrorCode = keyof typeof errorCodes;

export class MillraceError extends Error {
  override name = 'MillraceError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }

  get exitCode(): number {
    return errorCodes[this.code].exitCode;
  }

  /**
   * The single funnel: whatever was thrown becomes a MillraceError. System errors keep their meaning
   * (ENOSPC is `no-space`, an abort is `cancelled`); anything unknown takes `fallback`.
   */
  static from(thrown: unknown, fallback: ErrorCode = 'internal'): MillraceError {
    if (thrown instanceof MillraceError) return thrown;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    return new MillraceError(codeOfSystemError(error) ?? fallback, error.message, { cause: error });
  }
}

function codeOfSystemError(error: Error & { code?: unknown }): ErrorCode | undefined {
  if (error.name === 'AbortError') return 'cancelled';
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'no-space';
    case 'ENOENT':
      return 'not-found';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'permission-denied';
    case 'ECONNREFUSED':
    case 'ECONNRESET':
      return 'unavailable';
    default:
      return undefined;
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
