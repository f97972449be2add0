/** The few calls of MinIO's admin API that a set-up needs: users and policies. Each can be repeated. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { MillraceError } from '../lib/errors.ts';
import { encryptAdminBody } from './encrypt-admin-body.ts';
import type { Policy } from './policies.ts';

export interface AdminSettings {
  /** `http://HOST:PORT` */
  readonly endpoint: string;
  /** Of a user with admin rights, such as the root user. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const requestTimeoutMs = 20_000;
const answerCharsMax = 500;

/** Errors: `permission-denied` for wrong credentials, `unavailable` when MinIO is not there or not ready yet, else `store-failed`. */
export class MinioAdmin {
  readonly #settings: AdminSettings;
  readonly #signer: SignatureV4;

  constructor(settings: AdminSettings) {
    this.#settings = settings;
    this.#signer = new SignatureV4({
      service: 's3',
      region: 'us-east-1',
      credentials: settings,
      sha256: NodeSha256,
      uriEscapePath: false,
    });
  }

  /** Makes or replaces it. */
  async putPolicy(name: string, policy: Policy): Promise<void> {
    await this.#put('add-canned-policy', { name }, Buffer.from(JSON.stringify(policy)));
  }

  /** Makes the user, or gives it this secret. */
  async putUser(accessKeyId: string, secretAccessKey: string): Promise<void> {
    const body = encryptAdminBody(this.#settings.secretAccessKey, {
      secretKey: secretAccessKey,
      status: 'enabled',
    });
    await this.#put('add-user', { accessKey: accessKeyId }, body);
  }

  /** From now on the user has this policy and no other. */
  async setPolicyOfUser(policyName: string, accessKeyId: string): Promise<void> {
    const query = { policyName, userOrGroup: accessKeyId, isGroup: 'false' };
    await this.#put('set-user-or-group-policy', query, Buffer.alloc(0));
  }

  async #put(operation: string, query: Record<string, string>, body: Buffer): Promise<void> {
    const { protocol, host, hostname, port } = new URL(this.#settings.endpoint);
    const path = `/minio/admin/v3/${operation}`;
    const signed = await this.#signer.sign({
      method: 'PUT',
      protocol,
      hostname,
      ...(port !== '' && { port: Number(port) }),
      path,
      query,
      headers: { host, 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex') },
      body,
    });
    const url = `${protocol}//${host}${path}?${new URLSearchParams(query)}`;
    await send(operation, url, signed.headers, body);
  }
}

async function send(
  operation: string,
  url: string,
  headers: Record<string, string>,
  body: Buffer,
): Promise<void> {
  let status: number;
  let text: string;
  try {
    const signal = AbortSignal.timeout(requestTimeoutMs);
    const answer = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(body), signal });
    status = answer.status;
    text = (await answer.text()).slice(0, answerCharsMax);
  } catch (error) {
    const { origin } = new URL(url);
    throw new MillraceError('unavailable', `MinIO at ${origin} does not answer (AWS_ENDPOINT_URL_S3)`, {
      cause: error,
    });
  }
  if (status >= 200 && status < 300) return;
  const what = `MinIO refused ${operation} with status ${status}: ${text}`;
  if (status === 401 || status === 403) {
    throw new MillraceError(
      'permission-denied',
      `${what}; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be those of the root user`,
    );
  }
  throw new MillraceError(status === 503 ? 'unavailable' : 'store-failed', what);
}

/** The hash that the signer asks for, by Node's own. */
class NodeSha256 {
  readonly #secret: string | Uint8Array | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = ArrayBuffer.isView(secret)
      ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
      : secret instanceof ArrayBuffer
        ? new Uint8Array(secret)
        : secret;
    this.#hash = this.#start();
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#start();
  }

  #start(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}
