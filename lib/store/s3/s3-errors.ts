/**
 * What the S3 store says when the other side refuses, breaks or is not there: which object, why, and what to set. No secrets. A full
 * store is `store-failed`: `no-space` would be taken for a full disk of this host.
 */
import { type ErrorCode, MillraceError } from '../../errors.ts';
import type { S3Settings } from './s3-access.ts';

export interface S3Failure {
  /** Of the answer; 0 when there was none. */
  readonly status: number;
  /** `NoSuchBucket`, `ECONNRESET`, `TimeoutError`. */
  readonly name: string;
  readonly message: string;
}

/** Where something was tried; `key` is empty for a bucket. */
export interface S3Place {
  readonly bucket: string;
  readonly key: string;
  readonly settings: S3Settings;
}

export function describeFailure(thrown: unknown): S3Failure {
  if (!(thrown instanceof Error)) return { status: 0, name: 'unknown', message: String(thrown) };
  const error: Error & { code?: unknown; $metadata?: { httpStatusCode?: number } } = thrown;
  const name = typeof error.code === 'string' ? error.code : error.name;
  return { status: error.$metadata?.httpStatusCode ?? 0, name, message: error.message };
}

export function isNoSuchUpload(thrown: unknown): boolean {
  return describeFailure(thrown).name === 'NoSuchUpload';
}

/** The request may have been carried out, or may be when it is sent again: a lost answer, a conflict, an overloaded store. */
export function isUnclear({ status }: S3Failure): boolean {
  return (
    status === 0 || status === 409 || status === 412 || status === 429 || (status >= 500 && status !== 501)
  );
}

/** `cannot read s3://bucket/key: …`. A MillraceError stays as it is. */
export function s3Error(verb: string, place: S3Place, thrown: unknown): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  const failure = describeFailure(thrown);
  const [code, why] = explain(failure, place);
  const { bucket, key } = place;
  return new MillraceError(code, `cannot ${verb} s3://${bucket}/${key}: ${why}`, { cause: thrown });
}

type Explanation = readonly [code: ErrorCode, why: string];

function explain(failure: S3Failure, place: S3Place): Explanation {
  const { name, status } = failure;
  const { bucket, settings } = place;
  const store = settings.endpoint ?? `AWS S3 in ${settings.region}`;
  switch (name) {
    case 'AbortError':
      return ['cancelled', 'it was cancelled'];
    case 'NoSuchBucket':
      return [
        'not-found',
        `there is no bucket ${bucket} at ${store}: create it, or correct its name or AWS_ENDPOINT_URL_S3`,
      ];
    case 'NoSuchUpload':
      return ['not-found', 'its multipart upload is gone: it was discarded, or expired in the store'];
    case 'NoSuchKey':
    case 'NotFound':
      return ['not-found', 'there is no such object'];
    case 'RequestTimeTooSkewed':
      return [
        'store-failed',
        `the clock of this host and that of ${store} differ by more than it allows: correct the wrong one`,
      ];
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
      return ['store-failed', `the bucket is not in the region ${settings.region}: set AWS_REGION (${name})`];
    case 'XMinioStorageFull':
    case 'XMinioAdminBucketQuotaExceeded':
      return ['store-failed', `${store} is full (${name}): free space there or raise its quota`];
    default:
      return status === 0 ? explainNoAnswer(failure, store) : explainStatus(failure, settings, store);
  }
}

function explainStatus(failure: S3Failure, settings: S3Settings, store: string): Explanation {
  const { name, status, message } = failure;
  const said = `HTTP ${status}${name === String(status) ? '' : `, ${name}`}`;
  if (status === 401 || status === 403) {
    return [
      'permission-denied',
      `${store} refused it (${said}); the credentials are those of ${settings.credentialsFrom}: check them and their policy`,
    ];
  }
  if (status === 404) return ['not-found', `there is no such object (${said})`];
  if (status === 507) return ['store-failed', `${store} is full (${said})`];
  if (status === 429 || status === 503) {
    return ['unavailable', `${store} is overloaded or not ready (${said}), also when asked again`];
  }
  if (status < 300 || /\bAPI port\b/.test(message)) return notS3(store, said);
  return ['store-failed', `${store} failed (${said}): ${message}`];
}

function explainNoAnswer({ name, message }: S3Failure, store: string): Explanation {
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(name)) {
    return [
      'store-failed',
      `the certificate of ${store} is not trusted (${name}): set NODE_EXTRA_CA_CERTS to its authority's`,
    ];
  }
  if (name === 'EPROTO' || name.startsWith('HPE_') || name.startsWith('ERR_SSL')) {
    return [
      'store-failed',
      `${store} does not speak what was expected (${name}): is it http:// or https:// in AWS_ENDPOINT_URL_S3?`,
    ];
  }
  if (/^E[A-Z_]+$|^(TimeoutError|RequestTimeout)$/.test(name)) {
    return [
      'unavailable',
      `${store} does not answer (${name}): is it running, and AWS_ENDPOINT_URL_S3 right?`,
    ];
  }
  if (name === 'SyntaxError') return notS3(store, message);
  return ['store-failed', `${name}: ${message}`];
}

function notS3(store: string, said: string): Explanation {
  return [
    'store-failed',
    `the answer of ${store} is not that of S3 (${said}): AWS_ENDPOINT_URL_S3 must name the S3 port, not the console's`,
  ];
}
