/** Brings files of this machine into the bucket `input`. */
import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ClusterError } from './arguments.ts';

/** `env` has AWS_*, as of {@link Cluster.clientEnvironment}. Returns the URI of each object: the file's own name. */
export async function putInput(
  files: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  const client = new S3Client({
    endpoint: env.AWS_ENDPOINT_URL_S3 ?? '',
    region: env.AWS_REGION ?? '',
    forcePathStyle: true,
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    },
    // A stream is sent as it is, without a checksum that would need all of it first.
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  try {
    const uris: string[] = [];
    for (const file of files) uris.push(await putFile(client, file));
    return uris;
  } finally {
    client.destroy();
  }
}

async function putFile(client: S3Client, file: string): Promise<string> {
  const Key = basename(file);
  try {
    const stats = statSync(file);
    if (!stats.isFile()) throw new Error('it is not a file');
    const Body = createReadStream(file);
    await client.send(new PutObjectCommand({ Bucket: 'input', Key, Body, ContentLength: stats.size }));
    return `s3://input/${Key}`;
  } catch (error) {
    const { message } = error as Error;
    throw new ClusterError(`cannot put ${file} into the bucket input: ${message}`);
  }
}
