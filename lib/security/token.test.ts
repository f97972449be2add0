import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkToken, readToken, Tokens, tokenOfHeader } from './token.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-token-'));
afterAll(() => rmSync(folder, { recursive: true }));
const client = 'client-0123456789';
const worker = 'worker-0123456789';

test('a token has its role; anything else has none', () => {
  const tokens = new Tokens(client, worker);
  expect(tokens.roleOf(client)).toBe('client');
  expect(tokens.roleOf(worker)).toBe('worker');
  for (const other of ['', client.slice(0, -1), `${client}x`, client.toUpperCase()])
    expect(tokens.roleOf(other)).toBeUndefined();
});

test.each([
  ['short', 'x'.repeat(15), /MILLRACE_TOKEN has 15 characters.*from 16 to 512/],
  ['long', 'x'.repeat(513), /has 513 characters/],
  ['with a space', 'secret secret secret', /holds a space/],
  ['with a line break', 'secretsecretsecret\n', /holds a space/],
  ['with an umlaut', 'secretsecretsecrät', /not printable ASCII/],
])('a token that is %s is refused without being shown', (_, token, why) => {
  expect(() => checkToken(token, 'MILLRACE_TOKEN')).toThrow(why);
  expect(() => checkToken(token, 'MILLRACE_TOKEN')).not.toThrow(new RegExp(token.trim()));
});

test('one token for both roles is refused', () => {
  expect(() => new Tokens(client, client)).toThrow(/are the same.*MILLRACE_WORKER_TOKEN/);
});

test('a token file may end with a line break; one that is missing is named with its setting', () => {
  const file = join(folder, 'token');
  writeFileSync(file, `${client}\n`);
  expect(readToken(file, '--token-file')).toBe(client);
  expect(() => readToken(join(folder, 'none'), '--token-file')).toThrow(/--token-file cannot be read.*none/);
});

test.each([
  ['Bearer abc', 'abc'],
  ['bearer abc', 'abc'],
  ['Basic abc', undefined],
  ['Bearer', undefined],
  ['Bearer a b', undefined],
  [undefined, undefined],
])('the header %j holds the token %j', (header, token) => {
  expect(tokenOfHeader(header)).toBe(token);
});
