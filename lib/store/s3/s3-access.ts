/** What an S3 client has to know, and where a process gets it: from the AWS_* variables and files, as every AWS tool does. */
import { MillraceError } from '../../errors.ts';

/** Plain data, so that one thread can give it to another. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Not of use after that. */
  readonly expiration?: Date;
}

export interface S3Settings {
  /** A base URL; undefined for AWS, where the region says it. */
  readonly endpoint: string | undefined;
  readonly region: string;
  /** For errors: `AWS_ACCESS_KEY_ID`, or `the AWS profile or role`. */
  readonly credentialsFrom: string;
}

export interface S3Access {
  settings(): Promise<S3Settings>;
  /** Asked again shortly before what it gave expires. Throws `permission-denied` when there are none. */
  credentials(): Promise<S3Credentials>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** As the default chain of the AWS SDK finds them: variables first, then profile, web identity, container and instance roles. */
export function environmentS3Access(env: Environment = process.env): S3Access {
  const chain = lazily(async (): Promise<Chain> => {
    const { S3Client } = await import('@aws-sdk/client-s3');
    return new S3Client({}).config;
  });
  const own = credentialsOf(env);
  return {
    async settings() {
      const endpoint = endpointOf(env);
      const region = env.AWS_REGION || (await findRegion(chain, endpoint));
      return { endpoint, region, credentialsFrom: own ? 'AWS_ACCESS_KEY_ID' : 'the AWS profile or role' };
    },
    credentials: async () => own ?? (await findCredentials(chain)),
  };
}

function credentialsOf(env: Environment): S3Credentials | undefined {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE } = env;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY || AWS_PROFILE) return undefined;
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
  };
}

function endpointOf(env: Environment): string | undefined {
  const name = env.AWS_ENDPOINT_URL_S3 ? 'AWS_ENDPOINT_URL_S3' : 'AWS_ENDPOINT_URL';
  const endpoint = env[name];
  if (!endpoint) return undefined;
  const url = URL.parse(endpoint);
  if (url && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '') return endpoint;
  throw new MillraceError(
    'invalid-argument',
    `${name} is not a URL such as http://minio:9000 (with http:// or https://, without user or password)`,
  );
}

interface Chain {
  region(): Promise<string>;
  credentials(): Promise<S3Credentials>;
}

/** MinIO and its like want some region and take any; AWS wants the right one. */
async function findRegion(chain: () => Promise<Chain>, endpoint: string | undefined): Promise<string> {
  if (endpoint !== undefined) return 'us-east-1';
  try {
    return await (await chain()).region();
  } catch (error) {
    throw new MillraceError(
      'invalid-argument',
      'the AWS region is not known: set AWS_REGION, or AWS_ENDPOINT_URL_S3 for a store that is not AWS',
      { cause: error },
    );
  }
}

async function findCredentials(chain: () => Promise<Chain>): Promise<S3Credentials> {
  try {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await (await chain()).credentials();
    return {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
      ...(expiration !== undefined && { expiration }),
    };
  } catch (error) {
    throw new MillraceError(
      'permission-denied',
      'no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
      { cause: error },
    );
  }
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
