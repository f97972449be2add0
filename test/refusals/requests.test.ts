/** What a client with a token may ask, asked wrongly: refused by status, naming the thing, and nothing has changed. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../lib/limits.ts';
import { callRaw, methodNamed } from './raw-call.ts';
import { clientToken, Target } from './target.ts';

let target: Target;
let before: string;

beforeAll(async () => {
  target = await Target.startWithTokens();
  before = await target.picture();
}, 30_000);
afterAll(() => target[Symbol.asyncDispose]());

async function ask(name: string, messages: readonly object[], headers: Record<string, string> = {}) {
  const { address } = target.coordinator;
  const method = methodNamed(name);
  const outcome = await callRaw({ address, method, token: clientToken, messages, headers });
  expect(await target.picture()).toBe(before);
  return outcome;
}

describe.each(['Get', 'Watch', 'Cancel', 'Logs'])('%s', (name) => {
  it.each([
    ['an unknown job', 'job-unknown', 'NOT_FOUND', /no job job-unknown/],
    ['a path', '../../etc/passwd', 'INVALID_ARGUMENT', /job id must match/],
    ['an absolute path', '/etc/passwd', 'INVALID_ARGUMENT', /job id must match/],
    ['a NUL', 'job\0', 'INVALID_ARGUMENT', /job id must match/],
    ['a name that is too long', 'j'.repeat(65), 'INVALID_ARGUMENT', /job id must match/],
    ['nothing', '', 'INVALID_ARGUMENT', /job id must match/],
  ])('of %s', async (_, jobId, code, details) => {
    const outcome = await ask(name, [{ jobId }]);
    expect(outcome).toEqual({ code, details: expect.stringMatching(details), received: [] });
  });
});

it('a job that has ended cannot be cancelled', async () => {
  const [job] = await target.client.list();
  const outcome = await ask('Cancel', [{ jobId: job!.jobId }]);
  expect(outcome).toMatchObject({ code: 'FAILED_PRECONDITION', details: expect.stringMatching(/has ended/) });
});

it.each(['m', 'x1', '../m1', 'm99999999'])('logs of the task %j', async (task) => {
  const [job] = await target.client.list();
  const outcome = await ask('Logs', [{ jobId: job!.jobId, task }]);
  expect(outcome).toMatchObject({ code: 'INVALID_ARGUMENT', details: expect.stringMatching(/--task/) });
});

it.each(['nobody', '../x', ''])('draining the worker %j', async (worker) => {
  const outcome = await ask('Drain', [{ worker }]);
  expect(['NOT_FOUND', 'INVALID_ARGUMENT']).toContain(outcome.code);
});

const bundle = Buffer.from('export default 1;');
const sha256 = createHash('sha256').update(bundle).digest('hex');

function specWith(change: object): string {
  const data = `file://${target.folder}/data/`;
  return JSON.stringify({
    name: 'refused',
    bundleSha256: sha256,
    input: { kind: 'lines' },
    output: { kind: 'tsv', compression: 'none' },
    inputPatterns: [`${data}in.txt`],
    outputUri: `${data}refused/`,
    ifExists: 'fail',
    params: {},
    reducers: 1,
    partition: 'hash',
    priority: 0,
    attemptsMax: 4,
    taskTimeoutMs: 1_000,
    ...change,
  });
}

const submit = (change: object, code = bundle) =>
  ask('Submit', [{ specJson: specWith(change), bundle: code }]);
const manyBytes = Buffer.alloc(2 * 1024 * 1024);

describe('a submission', () => {
  it.each([
    ['a name with a line break', { name: 'a\nb' }, 'INVALID_ARGUMENT', /name/],
    ['a name that is too long', { name: 'n'.repeat(129) }, 'RESOURCE_EXHAUSTED', /job name.*limit of 128/],
    ['no name', { name: undefined }, 'INVALID_ARGUMENT', /name must be a string/],
    ['too many reducers', { reducers: 1e9 }, 'RESOURCE_EXHAUSTED', /reducers \(-r\).*limit of 32768/],
    ['reducers below none', { reducers: -1 }, 'INVALID_ARGUMENT', /reducers \(-r\)/],
    ['too many maps', { maps: 1e9 }, 'RESOURCE_EXHAUSTED', /maps \(--maps\).*limit of 1000000/],
    ['a partition nobody knows', { partition: 'mine' }, 'INVALID_ARGUMENT', /partition must be one of/],
    ['an input format nobody knows', { input: { kind: 'xml' } }, 'INVALID_ARGUMENT', /input.kind/],
    ['no input', { inputPatterns: [] }, 'INVALID_ARGUMENT', /inputPatterns/],
    [
      'too many patterns',
      { inputPatterns: new Array(10_001).fill('file:///a') },
      'RESOURCE_EXHAUSTED',
      /patterns/,
    ],
    ['a param that is a prototype', { params: JSON.parse('{"__proto__": 1}') }, 'INVALID_ARGUMENT', /param/],
    ['a param that is an object', { params: { a: {} } }, 'INVALID_ARGUMENT', /params.a must be/],
    ['large params', { params: { a: 'x'.repeat(70_000) } }, 'RESOURCE_EXHAUSTED', /size of params.*65536/],
    ['too many attempts', { attemptsMax: 101 }, 'RESOURCE_EXHAUSTED', /--max-attempts.*limit of 100/],
    ['a wrong hash of its bundle', { bundleSha256: 'f'.repeat(64) }, 'DATA_LOSS', /arrived with SHA-256/],
    ['a hash that is a path', { bundleSha256: '../../x' }, 'INVALID_ARGUMENT', /bundleSha256/],
    ['an input elsewhere', { inputPatterns: ['file:///etc/passwd'] }, 'PERMISSION_DENIED', /input.*--allow/],
    [
      'an input by HTTP',
      { inputPatterns: ['http://169.254.169.254/'] },
      'INVALID_ARGUMENT',
      /not a URI Millrace can read/,
    ],
    ['an output elsewhere', { outputUri: 'file:///etc/' }, 'PERMISSION_DENIED', /output.*--allow/],
    ['an output in a bucket', { outputUri: 's3://others/x/' }, 'PERMISSION_DENIED', /output.*--allow/],
  ])('with %s', async (_, change, code, details) => {
    const outcome = await submit(change);
    expect(outcome).toEqual({ code, details: expect.stringMatching(details), received: [] });
  });

  it.each(['../store/jobs/x/', 'a/../../../etc/', '%2e%2e/out/', './a/', 'a//b/'])(
    'whose output climbs out of its folder: %s',
    async (path) => {
      const outcome = await submit({ outputUri: `file://${target.folder}/data/${path}` });
      expect(outcome.code).toBe('INVALID_ARGUMENT');
      expect(outcome.details).toMatch(/cannot be an object key/);
    },
  );

  it('to an output that exists', async () => {
    const outcome = await submit({ outputUri: `file://${target.folder}/data/out/` });
    expect(outcome).toMatchObject({ code: 'ALREADY_EXISTS', details: expect.stringMatching(/is not empty/) });
  });

  it.each([
    ['nothing at all', []],
    ['an empty message', [{}]],
    ['a spec that is no JSON', [{ specJson: '{' }]],
    ['a spec that is a list', [{ specJson: '[]' }]],
    ['a bundle without a spec', [{ bundle: manyBytes }]],
  ])('of %s', async (_, messages) => {
    expect(await ask('Submit', messages)).toMatchObject({ code: 'INVALID_ARGUMENT', received: [] });
  });

  it('with a spec that is too large', async () => {
    const outcome = await ask('Submit', [{ specJson: `"${'x'.repeat(limits.specBytesMax)}"` }]);
    expect(outcome).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      details: expect.stringMatching(/job spec in bytes/),
    });
  });

  it('with a bundle that is too large', async () => {
    const chunks = limits.bundleBytesMax / manyBytes.length + 1;
    const outcome = await ask(
      'Submit',
      new Array(chunks).fill({ specJson: specWith({}), bundle: manyBytes }),
    );
    expect(outcome).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      details: expect.stringMatching(/bundle in bytes/),
    });
  });
});

it('a message that is too large', async () => {
  const outcome = await ask('Get', [{ jobId: 'x'.repeat(limits.grpcMessageBytesMax) }]);
  expect(outcome).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
});

it('metadata that is too large', async () => {
  const outcome = await ask('List', [{}], { 'x-filler': 'x'.repeat(limits.metadataBytesMax) });
  expect(outcome).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    details: expect.stringMatching(/metadata.*8192/),
  });
});
