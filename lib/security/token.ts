/** Shared secrets, one per role. They come from the environment or a file, never from a command line, where `ps` shows them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { MillraceError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Role } from './role.ts';

/** Printable, no spaces: a token travels in a header. */
const tokenPattern = /^[\x21-\x7e]+$/;

/** Throws `invalid-argument` naming the setting, never the token. */
export function checkToken(token: string, setting: string): string {
  if (token.length < limits.tokenCharsMin || token.length > limits.tokenCharsMax) {
    throw new MillraceError(
      'invalid-argument',
      `the token of ${setting} has ${token.length} characters; it must have from ${limits.tokenCharsMin} to ` +
        `${limits.tokenCharsMax}: make one with 'openssl rand -hex 32'`,
    );
  }
  if (!tokenPattern.test(token)) {
    throw new MillraceError(
      'invalid-argument',
      `the token of ${setting} holds a space or a character that is not printable ASCII`,
    );
  }
  return token;
}

/** The file's text without the white space around it. Throws `not-found` or `permission-denied` naming setting and file. */
export function readToken(file: string, setting: string): string {
  return checkToken(readSecretFile(file, setting).toString('utf8').trim(), `${setting} ${file}`);
}

export function readSecretFile(file: string, setting: string): Buffer {
  try {
    return readFileSync(file);
  } catch (thrown) {
    const { code, message } = MillraceError.from(thrown, 'invalid-argument');
    throw new MillraceError(code, `${setting} cannot be read: ${message}`, { cause: thrown });
  }
}

/** What a server accepts. Holds digests only. */
export class Tokens {
  readonly #digests: readonly { readonly role: Role; readonly digest: Buffer }[];

  /** Throws `invalid-argument` for tokens that are too short or the same. */
  constructor(clientToken: string, workerToken: string) {
    checkToken(clientToken, 'MILLRACE_CLIENT_TOKEN (--client-token-file)');
    checkToken(workerToken, 'MILLRACE_WORKER_TOKEN (--worker-token-file)');
    if (clientToken === workerToken) {
      throw new MillraceError(
        'invalid-argument',
        'the client token and the worker token are the same: whoever may submit a job could join as a worker; ' +
          'give two (MILLRACE_CLIENT_TOKEN and MILLRACE_WORKER_TOKEN, or --client-token-file and --worker-token-file)',
      );
    }
    this.#digests = [
      { role: 'client', digest: digestOf(clientToken) },
      { role: 'worker', digest: digestOf(workerToken) },
    ];
  }

  /** In the same time for every token, so that nothing can be learned from how long a refusal takes. */
  roleOf(token: string): Role | undefined {
    const digest = digestOf(token);
    let found: Role | undefined;
    for (const known of this.#digests) if (timingSafeEqual(known.digest, digest)) found = known.role;
    return found;
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** `Bearer TOKEN`, as an `authorization` header has it; undefined when it is something else. */
export function tokenOfHeader(header: string | undefined): string | undefined {
  return /^Bearer ([\x21-\x7e]+)$/i.exec(header ?? '')?.[1];
}
