/** The buckets of a cluster, its users, and what each may do there. No user may do more than its part needs. */

export const buckets = {
  /** What jobs read. */
  input: 'input',
  /** What jobs write, and chained jobs read. */
  output: 'output',
  /** The coordinator's store: its log, and the files of each job under `jobs/<id>/`. */
  store: 'millrace',
} as const;

export type Bucket = (typeof buckets)[keyof typeof buckets];

export type UserName = 'coordinator' | 'worker' | 'client' | 'reader';

export const userNames: readonly UserName[] = ['coordinator', 'worker', 'client', 'reader'];

/** Of the user and of its policy. */
export function accessKeyOf(user: UserName): string {
  return `millrace-${user}`;
}

interface Statement {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

export interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

const look = ['s3:GetBucketLocation', 's3:ListBucket'];
const get = ['s3:GetObject'];
// A part of a multipart upload, its completion and a whole object are one permission; see README.md.
const put = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];
const remove = ['s3:DeleteObject'];
const findUploads = ['s3:ListBucketMultipartUploads'];

export const policies: Readonly<Record<UserName, Policy>> = {
  // Keeps the log and the job files; completes, replaces and cleans up output.
  coordinator: policy([
    onBuckets([...look, ...findUploads], buckets.store, buckets.output),
    onBuckets(look, buckets.input),
    onObjects([...get, ...put, ...remove], `${buckets.store}/*`, `${buckets.output}/*`),
    onObjects(get, `${buckets.input}/*`),
  ]),
  // Reads input, the bundle of a job and what `millrace doctor` leaves for it, stages parts, keeps what failed reduces read. Cannot delete, and
  // never touches the log.
  worker: policy([
    onBuckets(look, buckets.input, buckets.output),
    onObjects(get, `${buckets.input}/*`, `${buckets.store}/jobs/*/bundle-*`, `${buckets.store}/doctor/*`),
    onObjects(
      [...get, ...put],
      `${buckets.output}/*`,
      `${buckets.store}/jobs/*/maps/*`,
      `${buckets.store}/jobs/*/kept/*`,
    ),
  ]),
  // A member of the team: brings input, takes output, looks at jobs; also for `millrace run` on the buckets.
  client: policy([
    onBuckets(look, buckets.input, buckets.output, buckets.store),
    onBuckets(findUploads, buckets.input, buckets.output),
    onObjects([...get, ...put, ...remove], `${buckets.input}/*`, `${buckets.output}/*`),
    onObjects(get, `${buckets.store}/jobs/*`),
  ]),
  // For browsing in the console and for `millrace results`.
  reader: policy([
    onBuckets(look, buckets.input, buckets.output, buckets.store),
    onObjects(get, `${buckets.input}/*`, `${buckets.output}/*`, `${buckets.store}/jobs/*`),
  ]),
};

function policy(statements: readonly Statement[]): Policy {
  return { Version: '2012-10-17', Statement: statements };
}

function onBuckets(actions: readonly string[], ...names: readonly Bucket[]): Statement {
  return allow(actions, names);
}

function onObjects(actions: readonly string[], ...patterns: readonly string[]): Statement {
  return allow(actions, patterns);
}

function allow(actions: readonly string[], resources: readonly string[]): Statement {
  return { Effect: 'Allow', Action: actions, Resource: resources.map((name) => `arn:aws:s3:::${name}`) };
}
