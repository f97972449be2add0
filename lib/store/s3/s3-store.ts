/**
 * The object store port over one bucket of S3, MinIO or what speaks like them. What is staged is a multipart upload to the final
 * key, which nobody sees until `publish` completes it. Objects appear whole, so readers never see half of one.
 */
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { MillraceError } from '../../errors.ts';
import { failpoint } from '../../failpoints.ts';
import { limits } from '../../limits.ts';
import { throwIfAborted } from '../abort.ts';
import { checkKey, checkOwner, checkPrefix } from '../key.ts';
import type { ObjectInfo, ReadOptions, StagedObject, StageWriter, Store } from '../store.ts';
import { putIfAbsent } from './put-if-absent.ts';
import type { GetRange, RangeBody } from './range-fetch.ts';
import { readRanges } from './read-ranges.ts';
import type { S3Connection } from './s3-connection.ts';
import { describeFailure, s3Error } from './s3-errors.ts';
import { UploadWriter } from './upload-writer.ts';
import {
  abortUpload,
  abortUploadsOf,
  completeUpload,
  createUpload,
  nextPage,
  type S3Object,
  uploadIdOf,
} from './uploads.ts';

export class S3Store implements Store {
  readonly #bucket: string;
  readonly #connection: S3Connection;
  #bucketIsThere = false;

  constructor(bucket: string, connection: S3Connection) {
    this.#bucket = bucket;
    this.#connection = connection;
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo> {
    checkPrefix(prefix);
    let page: string | undefined;
    do {
      throwIfAborted(signal);
      const answer = await this.#try('list', prefix, () => this.#listPage(prefix, page, signal));
      for (const object of answer.objects) {
        throwIfAborted(signal);
        yield object;
      }
      page = answer.next;
    } while (page !== undefined);
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key);
    return await this.#try('read', key, () => this.#head(key));
  }

  async *read(key: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    checkKey(key);
    throwIfAborted(options.signal);
    const uri = `s3://${this.#bucket}/${key}`;
    yield* readRanges((...range) => this.#range(key, ...range), uri, options);
  }

  async stage(key: string, owner: string): Promise<StageWriter> {
    checkKey(key);
    checkOwner(owner);
    const object = this.#object(key);
    return new UploadWriter(object, await this.#try('write', key, () => createUpload(object, owner)));
  }

  async publish(staged: StagedObject): Promise<void> {
    const { key } = staged;
    checkKey(key);
    await this.#try('publish', key, () => completeUpload(this.#object(key), staged));
  }

  async discard({ key, token }: Pick<StagedObject, 'key' | 'token'>): Promise<void> {
    checkKey(key);
    await this.#try('discard', key, () => abortUpload(this.#object(key), uploadIdOf(token)));
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    checkKey(key);
    return await this.#try('create', key, () => putIfAbsent(this.#object(key), bytes));
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    checkKey(key);
    const { client } = this.#connection;
    await this.#try('write', key, async () => {
      failpoint('s3.put-before');
      await client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: bytes }));
      failpoint('s3.put-after');
    });
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    const { client } = this.#connection;
    await this.#try('remove', key, () =>
      client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key })),
    );
  }

  async sweep(prefix: string, owner: string, keys: Iterable<string>): Promise<void> {
    checkPrefix(prefix);
    checkOwner(owner);
    const atOnce = pLimit(limits.s3SweepsInFlightMax);
    await atOnce.map(keys, async (key) => {
      checkKey(key);
      await this.#try('clean up', key, () => abortUploadsOf(this.#object(key)));
    });
  }

  #object(key: string): S3Object {
    return { connection: this.#connection, bucket: this.#bucket, key };
  }

  async #try<T>(verb: string, key: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (thrown) {
      const place = { bucket: this.#bucket, key, settings: this.#connection.settings };
      throw s3Error(verb, place, thrown);
    }
  }

  async #head(key: string): Promise<ObjectInfo | undefined> {
    try {
      const { ContentLength, ETag } = await this.#connection.client.send(
        new HeadObjectCommand({ Bucket: this.#bucket, Key: key }),
      );
      return { key, bytes: ContentLength ?? 0, etag: bareEtag(ETag) };
    } catch (thrown) {
      if (describeFailure(thrown).status !== 404) throw thrown;
      await this.#checkBucket();
      return undefined;
    }
  }

  /** The answer to a HEAD has no body that would tell a missing bucket from a missing object. */
  async #checkBucket(): Promise<void> {
    if (this.#bucketIsThere) return;
    try {
      await this.#connection.client.send(new HeadBucketCommand({ Bucket: this.#bucket }));
    } catch (thrown) {
      const { status } = describeFailure(thrown);
      if (status === 404) throw Object.assign(new Error('no such bucket'), { name: 'NoSuchBucket' });
      // Who may not look at the bucket may still be allowed to use it.
      if (status !== 403) throw thrown;
    }
    this.#bucketIsThere = true;
  }

  async #listPage(prefix: string, page: string | undefined, signal: AbortSignal | undefined) {
    const answer = await this.#connection.client.send(
      new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: prefix,
        ContinuationToken: page,
        // XML cannot hold every character that a key may have.
        EncodingType: 'url',
      }),
      signal ? { abortSignal: signal } : {},
    );
    const objects: ObjectInfo[] = [];
    for (const { Key, Size = 0, ETag } of answer.Contents ?? []) {
      const key = decodeKey(Key ?? '');
      // What some tools put where they think there is a folder.
      if (key.endsWith('/') && Size === 0) continue;
      objects.push({ key, bytes: Size, etag: bareEtag(ETag) });
    }
    const place = { bucket: this.#bucket, key: prefix };
    return { objects, next: nextPage(answer.IsTruncated, answer.NextContinuationToken, page, place) };
  }

  async #range(key: string, ...[from, to, etag, signal]: Parameters<GetRange>): Promise<RangeBody> {
    return await this.#try('read', key, async () => {
      if (from >= to) return await this.#nothing(key, from, to, etag);
      try {
        return await this.#getRange(key, from, to, etag, signal);
      } catch (thrown) {
        const { status } = describeFailure(thrown);
        if (status === 412) throw inputChanged(this.#bucket, key);
        if (status === 416) return await this.#nothing(key, from, to, etag);
        throw thrown;
      }
    });
  }

  async #getRange(key: string, ...[from, to, etag, signal]: Parameters<GetRange>): Promise<RangeBody> {
    const answer = await this.#connection.client.send(
      new GetObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Range: `bytes=${from}-${to - 1}`,
        IfMatch: etag === undefined ? undefined : `"${etag}"`,
      }),
      { abortSignal: signal },
    );
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.ContentRange ?? '');
    if (answer.Body instanceof Readable && Number(range?.[1]) === from) {
      return { stream: answer.Body, etag: bareEtag(answer.ETag), objectBytes: Number(range?.[2]) };
    }
    if (answer.Body instanceof Readable) answer.Body.on('error', () => undefined).destroy();
    throw new MillraceError(
      'store-failed',
      `cannot read s3://${this.#bucket}/${key}: asked for the bytes from ${from} on, the store answered with ` +
        `${answer.ContentRange ?? 'the whole object'}; it must support ranges`,
    );
  }

  /** A range that no byte of the object is in: that cannot be asked for, but the object must be there, and the same. */
  async #nothing(key: string, from: number, to: number, etag: string | undefined): Promise<RangeBody> {
    const info = await this.#head(key);
    if (!info) throw new MillraceError('not-found', `there is no object s3://${this.#bucket}/${key}`);
    const isChanged = etag !== undefined && info.etag !== etag;
    if (isChanged || (from < to && from < info.bytes)) throw inputChanged(this.#bucket, key);
    return { stream: Readable.from([]), etag: info.etag, objectBytes: info.bytes };
  }
}

function inputChanged(bucket: string, key: string): MillraceError {
  return new MillraceError(
    'input-changed',
    `s3://${bucket}/${key} changed since it was listed, or while it was read`,
  );
}

/** Some stores forget the quotes here and there. */
function bareEtag(etag: string | undefined): string {
  return (etag ?? '').replace(/^"|"$/g, '');
}

function decodeKey(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}
