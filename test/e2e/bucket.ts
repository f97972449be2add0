/** A bucket as tests look at it from outside: what is in it, and what is pending. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { Minio } from '../minio/start-minio.ts';

/** Of a PersistRecord what tests look at. */
export interface JournalRecord {
  readonly type: string;
  readonly jobId?: string;
  readonly spec?: { readonly jobId: string };
  readonly attempt?: { readonly jobId: string };
  readonly part?: { readonly token: string };
}

/** What the journal has of a job that completes, but for its parts. */
export const decisionsOfCompletedJob = [
  'job-accepted',
  'job-planned',
  'job-started',
  'job-committing',
  'job-ended',
];

export class Bucket {
  readonly name: string;
  readonly #minio: Minio;

  private constructor(name: string, minio: Minio) {
    this.name = name;
    this.#minio = minio;
  }

  static async make(minio: Minio): Promise<Bucket> {
    return new Bucket(await minio.makeBucket(), minio);
  }

  /** One that is there. */
  static named(name: string, minio: Minio): Bucket {
    return new Bucket(name, minio);
  }

  uri(key: string): string {
    return `s3://${this.name}/${key}`;
  }

  async put(key: string, body: string | Uint8Array): Promise<void> {
    await this.#minio.client.send(new PutObjectCommand({ Bucket: this.name, Key: key, Body: body }));
  }

  /** Sorted as S3 lists them. */
  async keys(prefix = ''): Promise<string[]> {
    const found: string[] = [];
    let page: string | undefined;
    do {
      const answer = await this.#minio.client.send(
        new ListObjectsV2Command({ Bucket: this.name, Prefix: prefix, ContinuationToken: page }),
      );
      found.push(...(answer.Contents ?? []).map(({ Key = '' }) => Key));
      page = answer.NextContinuationToken;
    } while (page !== undefined);
    return found;
  }

  /** Removes all below the prefix. */
  async clear(prefix: string): Promise<void> {
    for (const Key of await this.keys(prefix))
      await this.#minio.client.send(new DeleteObjectCommand({ Bucket: this.name, Key }));
  }

  async text(key: string): Promise<string> {
    const { Body } = await this.#minio.client.send(new GetObjectCommand({ Bucket: this.name, Key: key }));
    return (await Body?.transformToString('latin1')) ?? '';
  }

  /** A JSON value a line. */
  async jsonLines(key: string): Promise<Record<string, unknown>[]> {
    const lines = (await this.text(key)).trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line));
  }

  /** What the journal of the coordinator whose store is `prefix` says of a job, in order. Throws when its chain has a gap. */
  async decisionsOf(prefix: string, jobId: string): Promise<JournalRecord[]> {
    const keys = await this.keys(`${prefix}log/`);
    const gap = keys.findIndex((key, index) => Number(key.slice(-12)) !== index + 1);
    if (gap >= 0) throw new Error(`the journal has a gap before ${keys[gap]}`);
    const entries = await Promise.all(keys.map((key) => this.jsonLines(key)));
    const records = entries.flatMap((lines) => lines.slice(1)) as unknown as JournalRecord[];
    return records.filter((record) =>
      [record, record.spec, record.attempt].some((part) => part?.jobId === jobId),
    );
  }

  async json(key: string): Promise<Record<string, unknown>> {
    return JSON.parse(await this.text(key));
  }

  /** The bytes of every `part-*` below the prefix, by name: as `readParts` gives those of a folder. */
  async parts(prefix: string): Promise<Record<string, string>> {
    const keys = await this.keys(`${prefix}part-`);
    const parts = await Promise.all(
      keys.map(async (key) => [key.slice(prefix.length), await this.text(key)] as const),
    );
    return Object.fromEntries(parts);
  }

  /** Those of the keys that an upload is pending for: MinIO tells only when it is asked for the very key. */
  async pending(keys: readonly string[]): Promise<string[]> {
    const found = await Promise.all(
      keys.map(async (Prefix) => {
        const { Uploads = [] } = await this.#minio.client.send(
          new ListMultipartUploadsCommand({ Bucket: this.name, Prefix }),
        );
        return Uploads.map(({ Key = '' }) => Key);
      }),
    );
    return found.flat();
  }
}
