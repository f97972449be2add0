/** Flags for what a program shows, and for what a coordinator asks to see. Tokens themselves are no flags: `ps` shows those. */
import type { Command } from 'commander';
import type { CredentialOptions } from '../lib/security/credentials.ts';
import type { GuardOptions } from '../lib/security/guard.ts';
import type { TlsOptions } from '../lib/security/tls.ts';
import { readToken } from '../lib/security/token.ts';
import type { ConnectOptions } from '../sdk/client.ts';

export interface TlsFlags {
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

export interface CredentialFlags extends TlsFlags {
  readonly tokenFile?: string;
}

export interface GuardFlags extends TlsFlags {
  readonly clientTokenFile?: string;
  readonly workerTokenFile?: string;
}

/** For who calls a coordinator. */
export function addCredentials(command: Command): void {
  command.option('--token-file <FILE>', 'the token of this cluster (or MILLRACE_TOKEN, the token itself)');
  addTls(command);
}

/** For a coordinator. */
export function addGuard(command: Command): void {
  command
    .option(
      '--client-token-file <FILE>',
      'what clients must show (or MILLRACE_CLIENT_TOKEN, the token itself)',
    )
    .option(
      '--worker-token-file <FILE>',
      'what workers must show (or MILLRACE_WORKER_TOKEN, the token itself)',
    );
  addTls(command);
}

function addTls(command: Command): void {
  command
    .option('--tls-ca <FILE>', 'PEM; peers must show certificates of it, callers of a server too (mTLS)')
    .option('--tls-cert <FILE>', 'PEM; the certificate of this program')
    .option('--tls-key <FILE>', 'PEM; its key');
}

export function credentialsOf(flags: CredentialFlags): CredentialOptions {
  return { token: process.env.MILLRACE_TOKEN || undefined, tokenFile: flags.tokenFile, tls: tlsOf(flags) };
}

export function guardOf({ clientTokenFile, workerTokenFile, ...tls }: GuardFlags): GuardOptions {
  return {
    clientToken: process.env.MILLRACE_CLIENT_TOKEN || undefined,
    clientTokenFile,
    workerToken: process.env.MILLRACE_WORKER_TOKEN || undefined,
    workerTokenFile,
    tls: tlsOf(tls),
  };
}

/** `connect` reads the environment itself: only what flags say is handed on. */
export function connectOptionsOf(flags: CredentialFlags & { readonly coordinator: string }): ConnectOptions {
  const { coordinator, tokenFile } = flags;
  const token = tokenFile && readToken(tokenFile, '--token-file (MILLRACE_TOKEN_FILE)');
  return { coordinator, ...(token && { token }), tls: tlsOf(flags) };
}

function tlsOf({ tlsCa, tlsCert, tlsKey }: TlsFlags): TlsOptions | undefined {
  if (!tlsCa && !tlsCert && !tlsKey) return undefined;
  return { ca: tlsCa, cert: tlsCert, key: tlsKey };
}
