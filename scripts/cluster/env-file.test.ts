import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureEnvFile, readEnvFile } from './env-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-env-'));
  path = join(folder, '.env');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const compose = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');

test('it has every variable that docker-compose.yml cannot do without, and no other credential is needed', () => {
  const required = [...compose.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
  expect(required.length).toBeGreaterThan(5);
  const { COMPOSE_PROJECT_NAME, ...credentials } = ensureEnvFile(path);
  expect(COMPOSE_PROJECT_NAME).toBe('millrace');
  expect(new Set(Object.keys(credentials))).toEqual(new Set(required));
});

test('secrets are long, differ from each other and from those of another file, and only the owner reads them', () => {
  const { COMPOSE_PROJECT_NAME: _, MINIO_ROOT_USER: __, ...secrets } = ensureEnvFile(path);
  const others = ensureEnvFile(join(folder, 'other.env'));
  const values = Object.values(secrets);
  expect(values.every((value) => /^[0-9a-f]{40}$/.test(value))).toBe(true);
  expect(new Set(values).size).toBe(values.length);
  expect(Object.values(others).filter((value) => values.includes(value))).toEqual([]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a second call changes nothing', () => {
  const first = ensureEnvFile(path);
  const text = readFileSync(path, 'utf8');
  expect(ensureEnvFile(path)).toEqual(first);
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('what somebody wrote stays, and only what is missing is added', () => {
  writeFileSync(path, '# mine\nMILLRACE_WORKER_TOKEN=given\nWORKER_MEMORY=2g');
  const values = ensureEnvFile(path);
  expect(values).toMatchObject({ MILLRACE_WORKER_TOKEN: 'given', WORKER_MEMORY: '2g' });
  expect(readFileSync(path, 'utf8')).toMatch(
    /^# mine\nMILLRACE_WORKER_TOKEN=given\nWORKER_MEMORY=2g\nMINIO_ROOT_USER=/,
  );
  expect(readEnvFile(path)).toEqual(values);
});

test('there is nothing to read before it was made', () => {
  expect(readEnvFile(path)).toBeUndefined();
});
