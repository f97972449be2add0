/**
 * Multipart uploads as staged objects. The token is made before the first byte: a mark of ours and the upload id. The mark is also
 * in the metadata of the object, so that reading it tells whether an upload with an unclear end became the object that is there.
 */
import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
} from '@aws-sdk/client-s3';
import { MillraceError } from '../../errors.ts';
import { failpoint } from '../../failpoints.ts';
import type { StagedObject } from '../store.ts';
import type { S3Connection } from './s3-connection.ts';
import { describeFailure, isNoSuchUpload } from './s3-errors.ts';

/** Metadata of every object that Millrace writes: `x-amz-meta-millrace-mark`. */
export const markName = 'millrace-mark';
const ownerName = 'millrace-job';

/** Mark and upload id; a `+` between them says that beginning it took several requests, each of which may have begun an upload. */
const tokenPattern = /^([0-9a-f-]{36})([.+])([\x21-\x7e]{1,1024})$/;

/** An object in a bucket. */
export interface S3Object {
  readonly connection: S3Connection;
  readonly bucket: string;
  readonly key: string;
}

/**
 * What the parts are sent with: AWS refuses to complete an upload whose parts have checksums that it was not begun with. Elsewhere
 * none, because not every store knows them.
 */
export function partChecksum({ settings }: S3Connection): 'CRC32' | undefined {
  return settings.endpoint === undefined ? 'CRC32' : undefined;
}

/** Returns its token. */
export async function createUpload({ connection, bucket, key }: S3Object, owner: string): Promise<string> {
  const mark = randomUUID();
  const { UploadId, $metadata } = await connection.client.send(
    new CreateMultipartUploadCommand({
      Bucket: bucket,
      Key: key,
      ChecksumAlgorithm: partChecksum(connection),
      Metadata: { [markName]: mark, [ownerName]: owner },
    }),
  );
  failpoint('s3.upload-created');
  const token = `${mark}${($metadata.attempts ?? 1) > 1 ? '+' : '.'}${UploadId}`;
  if (tokenPattern.test(token)) return token;
  throw new MillraceError('store-failed', `the store gave no upload id for s3://${bucket}/${key}`);
}

/** Throws `invalid-argument` for a token of another store. */
export function uploadIdOf(token: string): string {
  return parseToken(token).uploadId;
}

interface Token {
  readonly mark: string;
  readonly uploadId: string;
  /** Uploads under the same key that nobody has the id of may be pending, too. */
  readonly mayHaveTwins: boolean;
}

function parseToken(token: string): Token {
  const match = tokenPattern.exec(token);
  if (match) return { mark: match[1]!, uploadId: match[3]!, mayHaveTwins: match[2] === '+' };
  throw new MillraceError('invalid-argument', `not a token of an S3 store: ${JSON.stringify(token)}`);
}

/** Undefined when there is no object. The mark is empty on what somebody else wrote. */
export async function readMark({ connection, bucket, key }: S3Object): Promise<string | undefined> {
  try {
    const { Metadata } = await connection.client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return Metadata?.[markName] ?? '';
  } catch (thrown) {
    if (describeFailure(thrown).status === 404) return undefined;
    throw thrown;
  }
}

/**
 * Makes it the object. Whatever the answer, or its lack: when the object that is there is this upload, it is done. Its twins are then
 * nobody's.
 */
export async function completeUpload(object: S3Object, staged: StagedObject): Promise<void> {
  const { mark, uploadId, mayHaveTwins } = parseToken(staged.token);
  const { connection, bucket, key } = object;
  try {
    const Parts = await listParts(object, uploadId, staged.bytes);
    failpoint('s3.complete-before');
    await connection.client.send(
      new CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: { Parts },
      }),
    );
    failpoint('s3.complete-after');
  } catch (thrown) {
    if ((await readMark(object)) !== mark) throw thrown;
  }
  if (mayHaveTwins) await abortUploadsOf(object);
}

/** Throws `corrupt` when the parts do not add up to what was staged. */
async function listParts(object: S3Object, uploadId: string, bytes: number): Promise<CompletedPart[]> {
  const { connection, bucket, key } = object;
  const parts: CompletedPart[] = [];
  let stored = 0;
  let marker: string | undefined;
  do {
    const page = await connection.client.send(
      new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: uploadId, PartNumberMarker: marker }),
    );
    for (const { PartNumber, ETag, ChecksumCRC32, Size } of page.Parts ?? []) {
      parts.push({ PartNumber, ETag, ChecksumCRC32 });
      stored += Size ?? 0;
    }
    marker = nextPage(page.IsTruncated, page.NextPartNumberMarker, marker, object);
  } while (marker !== undefined);
  if (stored === bytes && parts.length > 0) return parts;
  throw new MillraceError(
    'corrupt',
    `cannot publish s3://${bucket}/${key}: the store holds ${stored} bytes of it, but ${bytes} were staged`,
  );
}

/** A published object is not harmed; an upload that is gone is no error. */
export async function abortUpload({ connection, bucket, key }: S3Object, uploadId: string): Promise<void> {
  try {
    failpoint('s3.abort-before');
    await connection.client.send(
      new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId }),
    );
    failpoint('s3.abort-after');
  } catch (thrown) {
    if (!isNoSuchUpload(thrown)) throw thrown;
  }
}

/** Drops all that is pending under exactly this key. MinIO lists pending uploads only when asked for an exact key. */
export async function abortUploadsOf(object: S3Object): Promise<void> {
  const { connection, bucket, key } = object;
  let marker: string | undefined;
  let uploadMarker: string | undefined;
  do {
    const page = await connection.client.send(
      new ListMultipartUploadsCommand({
        Bucket: bucket,
        Prefix: key,
        KeyMarker: marker,
        UploadIdMarker: uploadMarker,
      }),
    );
    for (const { Key, UploadId } of page.Uploads ?? []) {
      if (Key === key && UploadId !== undefined) await abortUpload(object, UploadId);
    }
    uploadMarker = nextPage(page.IsTruncated, page.NextUploadIdMarker, uploadMarker, object);
    marker = page.NextKeyMarker;
  } while (uploadMarker !== undefined);
}

/** Undefined after the last page. A store that says there is more and not where would lose data in silence, or loop. */
export function nextPage(
  isTruncated: boolean | undefined,
  next: string | undefined,
  before: string | undefined,
  { bucket, key }: Pick<S3Object, 'bucket' | 'key'>,
): string | undefined {
  if (!isTruncated) return undefined;
  if (next !== undefined && next !== '' && next !== before) return next;
  throw new MillraceError('store-failed', `listing s3://${bucket}/${key} is cut short by the store`);
}
