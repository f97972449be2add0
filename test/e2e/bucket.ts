/** A bucket as tests look at it from outside: what is in it, and what is pending. */
import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { Minio } from '../minio/start-minio.ts';

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

  async text(key: string): Promise<string> {
    const { Body } = await this.#minio.client.send(new GetObjectCommand({ Bucket: this.name, Key: key }));
    return (await Body?.transformToString('latin1')) ?? '';
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
