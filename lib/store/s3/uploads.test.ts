import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test, vi } from 'vitest';
import { abortUploadsOf, nextPage, uploadIdOf } from './uploads.ts';

/** As AWS answers: all keys with the prefix, in pages. */
test('only what is pending under exactly this key is dropped, on every page', async () => {
  const pages = [
    {
      IsTruncated: true,
      NextKeyMarker: 'a',
      NextUploadIdMarker: '1',
      Uploads: [{ Key: 'a', UploadId: '1' }],
    },
    { Uploads: ['a', 'ab', 'a/b'].map((Key, at) => ({ Key, UploadId: String(at + 2) })) },
  ];
  const aborted: unknown[] = [];
  const client = new S3Client({ region: 'us-east-1' });
  vi.spyOn(client, 'send').mockImplementation(async (command: unknown) => {
    if (command instanceof ListMultipartUploadsCommand) {
      return command.input.UploadIdMarker === undefined ? pages[0] : pages[1];
    }
    if (command instanceof AbortMultipartUploadCommand) aborted.push(command.input.UploadId);
    return {};
  });
  const settings = { endpoint: undefined, region: 'us-east-1', credentialsFrom: 'AWS_ACCESS_KEY_ID' };
  await abortUploadsOf({ connection: { client, once: client, settings }, bucket: 'bucket', key: 'a' });
  expect(aborted).toEqual(['1', '2']);
});

test('a listing that says there is more and not where is an error, not an end', () => {
  const place = { bucket: 'bucket', key: 'logs/' };
  expect(nextPage(false, 'x', undefined, place)).toBeUndefined();
  expect(nextPage(true, 'x', undefined, place)).toBe('x');
  for (const next of [undefined, '', 'x']) {
    expect(() => nextPage(true, next, 'x', place)).toThrow('listing s3://bucket/logs/ is cut short');
  }
});

test.each(['', 'job/0a1b', '../../etc/passwd', `${'a'.repeat(36)}.`])('%j is not a token', (token) => {
  expect(() => uploadIdOf(token)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});
