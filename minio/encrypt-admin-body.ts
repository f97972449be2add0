/**
 * What MinIO's admin API wants of a body with secrets in it, even over TLS: encrypted under the caller's secret key.
 *
 *     salt (32) | algorithm (1) | nonce (8) | chunks, each AES-256-GCM of up to 16 KiB with its tag (16)
 *
 * The key is PBKDF2 of the secret. A chunk's nonce is the nonce and the chunk's number, from 1; its additional data is a mark for the
 * last chunk and the tag of an empty message numbered 0. Here a body is one chunk: users and policies are much smaller.
 */
import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { checkLimit } from '../lib/limits.ts';

const pbkdf2AesGcm = 0x02;
const pbkdf2Iterations = 8192;
const chunkBytesMax = 16 * 1024;
const lastChunk = 0x80;

/** Throws `limit-exceeded` for more than 16 KiB. */
export function encryptAdminBody(secretAccessKey: string, body: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(body));
  checkLimit('an admin request, in bytes,', text.length, chunkBytesMax, 'shorten it');
  const salt = randomBytes(32);
  const nonce = randomBytes(8);
  const key = pbkdf2Sync(secretAccessKey, salt, pbkdf2Iterations, 32, 'sha256');
  const empty = sealChunk(key, nonce, 0, Buffer.alloc(0), Buffer.alloc(0));
  const chunk = sealChunk(key, nonce, 1, text, Buffer.concat([Buffer.of(lastChunk), empty]));
  return Buffer.concat([salt, Buffer.of(pbkdf2AesGcm), nonce, chunk]);
}

function sealChunk(
  key: Uint8Array,
  nonce: Uint8Array,
  chunkNumber: number,
  text: Uint8Array,
  additional: Uint8Array,
): Buffer {
  const numbered = Buffer.alloc(12);
  numbered.set(nonce);
  numbered.writeUInt32LE(chunkNumber, 8);
  const cipher = createCipheriv('aes-256-gcm', key, numbered).setAAD(additional);
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}
