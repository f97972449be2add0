import { expect, test } from 'vitest';
import { dockerEnvironment, findCompose, type Ran } from './docker.ts';

const fine: Ran = { status: 0, text: '', isMissing: false };
const missing: Ran = { status: 1, text: '', isMissing: true };
const failed = (text: string): Ran => ({ status: 1, text, isMissing: false });

/** A machine, by what each command line that begins so answers. */
const machine = (answers: Record<string, Ran>) => (command: string, args: readonly string[]) => {
  const line = [command, ...args].join(' ');
  return Object.entries(answers).find(([start]) => line.startsWith(start))?.[1] ?? missing;
};

test('the plugin is taken before the program', () => {
  const both = { 'docker version': fine, 'docker compose': fine, 'docker-compose': fine };
  expect(findCompose(machine(both))).toEqual(['docker', 'compose']);
});

test('the program will do from 1.29 on', () => {
  const old = { 'docker version': fine, 'docker compose': failed('unknown command') };
  const withVersion = (text: string) => findCompose(machine({ ...old, 'docker-compose': { ...fine, text } }));
  expect(withVersion('1.29.2\n')).toEqual(['docker-compose']);
  expect(withVersion('v2.29.1\n')).toEqual(['docker-compose']);
  expect(() => withVersion('1.25.0\n')).toThrow(/1\.25\.0 is too old: 1\.29/);
});

test.each([
  ['no Docker', {}, /Docker is not installed/],
  ['no Compose', { 'docker version': fine, 'docker compose': failed('') }, /Docker Compose is not installed/],
  [
    'no engine',
    { 'docker version': failed('Cannot connect to the Docker daemon at unix:///var/run/docker.sock.') },
    /systemctl start docker/,
  ],
  [
    'no right to use it',
    { 'docker version': failed('permission denied while trying to connect to the Docker daemon socket') },
    /group docker/,
  ],
  ['anything else', { 'docker version': failed('first\nclient is too new') }, /client is too new/],
])('%s is said', (_, answers: Record<string, Ran>, message) => {
  expect(() => findCompose(machine(answers))).toThrow(message);
});

test('settings of Docker are passed on, credentials of a shell are not', () => {
  const env = {
    PATH: '/bin',
    DOCKER_HOST: 'unix:///x',
    HTTPS_PROXY: 'p',
    MILLRACE_TOKEN: 't',
    MINIO_IMAGE: 'i',
  };
  expect(Object.keys(dockerEnvironment(env))).toEqual(['PATH', 'DOCKER_HOST', 'HTTPS_PROXY']);
});
