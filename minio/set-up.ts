/**
 * `node minio/set-up.ts`: makes the buckets and users of a cluster on the MinIO at AWS_ENDPOINT_URL_S3, as its root user
 * (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY). The users' secrets are in S3_COORDINATOR_SECRET, S3_WORKER_SECRET, S3_CLIENT_SECRET and
 * S3_READER_SECRET.
 */
import { MillraceError } from '../lib/errors.ts';
import type { UserName } from './policies.ts';
import { setUpCluster } from './set-up-cluster.ts';

const waitMs = 60_000;
const secretCharsMin = 16;

function setting(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new MillraceError(
    'invalid-argument',
    `${name} is not set (npm run cluster -- start sets it from .env)`,
  );
}

function secretOf(user: UserName): string {
  const name = `S3_${user.toUpperCase()}_SECRET`;
  const secret = setting(name);
  if (secret.length >= secretCharsMin) return secret;
  throw new MillraceError('invalid-argument', `${name} must have at least ${secretCharsMin} characters`);
}

try {
  await setUpCluster({
    endpoint: setting('AWS_ENDPOINT_URL_S3'),
    accessKeyId: setting('AWS_ACCESS_KEY_ID'),
    secretAccessKey: setting('AWS_SECRET_ACCESS_KEY'),
    secrets: {
      coordinator: secretOf('coordinator'),
      worker: secretOf('worker'),
      client: secretOf('client'),
      reader: secretOf('reader'),
    },
    waitMs,
    say: (line) => console.log(line),
  });
} catch (thrown) {
  const error = MillraceError.from(thrown);
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = error.exitCode;
}
