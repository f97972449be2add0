/** The clients of the AWS SDK as Millrace sets them up; one connection serves all buckets of a process. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { systemClock } from '../../clock.ts';
import { limits } from '../../limits.ts';
import { softwareVersion } from '../../version.ts';
import { Patience } from './patience.ts';
import type { S3Access, S3Settings } from './s3-access.ts';

/** Called for each request that went out, repeated ones too: `GetObject`, `200` or `ECONNRESET`, and how long it took. */
export type OnS3Request = (operation: string, httpStatusOrCode: string, ms: number) => void;

export interface S3Options {
  readonly access: S3Access;
  readonly onRequest?: OnS3Request | undefined;
  /** How long a connection may be silent while something is expected of it. Default: the limit of that name. */
  readonly socketTimeoutMs?: number | undefined;
  /** How long a request is repeated that failed for a passing reason. Default: `s3AttemptsMax` times, which takes about a second. */
  readonly patienceMs?: number | undefined;
}

export interface S3Connection {
  readonly settings: S3Settings;
  /** Repeats a request that failed for a passing reason. */
  readonly client: S3Client;
  /** Sends once. For conditional writes: repeating one that succeeded would make our own success look like a refusal. */
  readonly once: S3Client;
}

export async function connectS3(options: S3Options): Promise<S3Connection> {
  const { access, onRequest } = options;
  const settings = await access.settings();
  const agent = { keepAlive: true, maxSockets: limits.s3SocketsMax };
  const shared: S3ClientConfig = {
    region: settings.region,
    credentials: () => access.credentials(),
    customUserAgent: [['millrace', softwareVersion()]],
    requestHandler: new NodeHttpHandler({
      connectionTimeout: limits.s3ConnectTimeoutMs,
      socketTimeout: options.socketTimeoutMs ?? limits.s3SocketTimeoutMs,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    }),
    // Ranges have no checksum on AWS and MinIO; a store that sends the whole object's would fail each of them.
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(settings.endpoint !== undefined && {
      endpoint: settings.endpoint,
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    }),
  };
  const { patienceMs } = options;
  const client = new S3Client({
    ...shared,
    ...(patienceMs === undefined
      ? { maxAttempts: limits.s3AttemptsMax }
      : { retryStrategy: new Patience(patienceMs, systemClock) }),
  });
  const once = new S3Client({ ...shared, maxAttempts: 1 });
  for (const each of [client, once]) {
    leavePayloadsToTls(each);
    if (onRequest) reportRequests(each, onRequest);
  }
  return { settings, client, once };
}

/** TLS protects the bytes already: hashing them for the signature as well costs half of the upload's CPU time. */
function leavePayloadsToTls(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const { request } = args;
      if (isRequest(request) && request.protocol === 'https:') {
        request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      }
      return next(args);
    },
    { step: 'build', name: 'leavePayloadsToTls' },
  );
}

/** Innermost, so that each try of a repeated request is seen. */
function reportRequests(client: S3Client, onRequest: OnS3Request): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const startMs = performance.now();
      const operation = String(context.commandName).replace(/Command$/, '');
      const report = (outcome: string) => onRequest(operation, outcome, performance.now() - startMs);
      try {
        const result = await next(args);
        report(isResponse(result.response) ? String(result.response.statusCode) : 'unknown');
        return result;
      } catch (error) {
        report(codeOf(error));
        throw error;
      }
    },
    { step: 'deserialize', priority: 'low', name: 'reportRequests' },
  );
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function isRequest(value: unknown): value is { protocol: string; headers: Record<string, string> } {
  return typeof value === 'object' && value !== null && 'protocol' in value && 'headers' in value;
}

function isResponse(value: unknown): value is { statusCode: number } {
  return typeof value === 'object' && value !== null && 'statusCode' in value;
}
