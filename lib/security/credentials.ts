/** What this process shows when it calls: a token, a certificate, or nothing (on loopback). */
import {
  type ChannelCredentials,
  type ChannelOptions,
  InterceptingCall,
  type Interceptor,
} from '@grpc/grpc-js';
import { parseAddress } from '../address.ts';
import {
  channelName,
  compileTls,
  credentialsForCoordinator,
  credentialsForWorker,
  type TlsMaterial,
  type TlsOptions,
} from './tls.ts';
import { checkToken, readToken } from './token.ts';

export interface CredentialOptions {
  readonly token?: string | undefined;
  /** Goes before `token`. */
  readonly tokenFile?: string | undefined;
  readonly tls?: TlsOptions | undefined;
}

export interface Credentials {
  readonly token: string | undefined;
  readonly tls: TlsMaterial | undefined;
}

export const noCredentials: Credentials = { token: undefined, tls: undefined };

/** Throws for a token or a file that is not what it should be, naming the setting. */
export function compileCredentials({ token, tokenFile, tls }: CredentialOptions): Credentials {
  return {
    token: tokenFile
      ? readToken(tokenFile, '--token-file (MILLRACE_TOKEN_FILE)')
      : token && checkToken(token, 'MILLRACE_TOKEN'),
    tls: compileTls(tls),
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** MILLRACE_TOKEN, MILLRACE_TOKEN_FILE and MILLRACE_TLS_*; an empty variable counts as not set. */
export function credentialsOfEnvironment(env: Environment): CredentialOptions {
  return {
    token: env.MILLRACE_TOKEN || undefined,
    tokenFile: env.MILLRACE_TOKEN_FILE || undefined,
    tls: {
      ca: env.MILLRACE_TLS_CA || undefined,
      cert: env.MILLRACE_TLS_CERT || undefined,
      key: env.MILLRACE_TLS_KEY || undefined,
    },
  };
}

export interface ChannelSecurity {
  readonly credentials: ChannelCredentials;
  /** To go among the channel's options. */
  readonly options: ChannelOptions & { readonly interceptors: Interceptor[] };
}

/** For a client of the services of the coordinator at HOST:PORT. */
export function securityToCoordinator({ token, tls }: Credentials, address: string): ChannelSecurity {
  const { host } = parseAddress(address, '--coordinator');
  return {
    credentials: credentialsForCoordinator(tls, host),
    options: { ...(tls && channelName), interceptors: token ? [bearer(token)] : [] },
  };
}

/** For fetches: workers of one cluster are set up alike, so a peer speaks TLS when this worker does. Tokens are not shown to peers. */
export function credentialsToWorker({ tls }: Credentials): ChannelCredentials {
  return credentialsForWorker(tls?.identity ? tls : undefined);
}

function bearer(token: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        metadata.set('authorization', `Bearer ${token}`);
        next(metadata, listener);
      },
    });
}
