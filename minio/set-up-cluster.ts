/** Brings a MinIO to what a cluster needs: buckets, policies, users. May be run again at any time; then it repairs and renews. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { MillraceError } from '../lib/errors.ts';
import { type AdminSettings, MinioAdmin } from './admin.ts';
import { accessKeyOf, buckets, policies, type UserName, userNames } from './policies.ts';

export interface ClusterSetUp extends AdminSettings {
  /** The secret key of each user. */
  readonly secrets: Readonly<Record<UserName, string>>;
  /** How long MinIO may take to be ready. */
  readonly waitMs: number;
  readonly say: (line: string) => void;
}

const pauseMs = 500;

/** Throws `unavailable` when MinIO is not ready in time, `permission-denied` for wrong root credentials. */
export async function setUpCluster({ secrets, waitMs, say, ...settings }: ClusterSetUp): Promise<void> {
  const admin = new MinioAdmin(settings);
  const endsAtMs = performance.now() + waitMs;
  await untilAvailable(endsAtMs, () => makeBuckets(settings));
  say(`buckets: ${Object.values(buckets).join(', ')}`);
  for (const user of userNames) {
    const accessKey = accessKeyOf(user);
    await untilAvailable(endsAtMs, async () => {
      await admin.putPolicy(accessKey, policies[user]);
      await admin.putUser(accessKey, secrets[user]);
      await admin.setPolicyOfUser(accessKey, accessKey);
    });
  }
  say(`users: ${userNames.map(accessKeyOf).join(', ')}`);
}

async function untilAvailable(endsAtMs: number, run: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      const isOver = performance.now() >= endsAtMs;
      if (isOver || !(error instanceof MillraceError && error.code === 'unavailable')) throw error;
      await sleep(pauseMs);
    }
  }
}

async function makeBuckets({ endpoint, accessKeyId, secretAccessKey }: AdminSettings): Promise<void> {
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  try {
    for (const bucket of Object.values(buckets)) await makeBucket(client, endpoint, bucket);
  } finally {
    client.destroy();
  }
}

async function makeBucket(client: S3Client, endpoint: string, bucket: string): Promise<void> {
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    if (name === 'BucketAlreadyOwnedByYou') return;
    const status = $metadata?.httpStatusCode;
    const isDown = status === undefined || status === 503;
    const code = isDown ? 'unavailable' : status === 403 ? 'permission-denied' : 'store-failed';
    throw new MillraceError(
      code,
      `cannot make the bucket ${bucket} at ${endpoint} (AWS_ENDPOINT_URL_S3): ${message || name}`,
      { cause: error },
    );
  }
}
