/** Create-only puts whose outcome is known: an unclear answer is settled by reading what is there. */
import { randomUUID } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { failpoint } from '../../failpoints.ts';
import { limits } from '../../limits.ts';
import { backOff } from './backoff.ts';
import { describeFailure, isUnclear } from './s3-errors.ts';
import { markName, readMark, type S3Object } from './uploads.ts';

/**
 * True when this call wrote the object, false when there is another. Each call marks what it writes, so its own write is told
 * from that of somebody who wrote the same bytes. Throws when the store cannot be asked any more: then the put may still arrive.
 */
export async function putIfAbsent(object: S3Object, bytes: Uint8Array): Promise<boolean> {
  const { connection, bucket, key } = object;
  const mark = randomUUID();
  for (let tries = 1; ; tries++) {
    try {
      failpoint('s3.create-before');
      await connection.once.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: bytes,
          IfNoneMatch: '*',
          Metadata: { [markName]: mark },
        }),
      );
      failpoint('s3.create-after');
      return true;
    } catch (thrown) {
      if (!isUnclear(describeFailure(thrown))) throw thrown;
      const found = await readMark(object);
      if (found !== undefined) return found === mark;
      if (tries >= limits.s3AttemptsMax) throw thrown;
      await backOff(tries);
    }
  }
}
