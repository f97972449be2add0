import { expect, test } from 'vitest';
import { ClusterError, parseInvocation } from './arguments.ts';

const commandOf = (...args: string[]) => parseInvocation(args).command;

test('start takes a number of workers, or leaves it open', () => {
  expect(commandOf('start')).toEqual({ name: 'start', workers: undefined });
  expect(commandOf('start', '--workers', '8')).toEqual({ name: 'start', workers: 8 });
  expect(commandOf('start', '--workers=8')).toEqual({ name: 'start', workers: 8 });
});

test('stop removes only when told to', () => {
  expect(commandOf('stop')).toEqual({ name: 'stop', remove: false });
  expect(commandOf('stop', '--remove')).toEqual({ name: 'stop', remove: true });
});

test('restart and logs take a service', () => {
  expect(commandOf('restart')).toEqual({ name: 'restart', service: undefined });
  expect(commandOf('logs', 'worker')).toEqual({ name: 'logs', service: 'worker' });
});

test('put takes files', () => {
  expect(commandOf('put', 'a.txt', 'b.txt')).toEqual({ name: 'put', files: ['a.txt', 'b.txt'] });
});

test('the file of the credentials may stand anywhere', () => {
  expect(parseInvocation(['--env-file', 'x.env', 'kill-worker', '2'])).toEqual({
    command: { name: 'kill-worker', worker: '2' },
    envFile: 'x.env',
  });
});

test.each([
  [[], /which COMMAND/],
  [['stat'], /no command 'stat'/],
  [['start', '--workers', '0'], /from 1 to 64, not '0'/],
  [['start', '--workers', 'many'], /not 'many'/],
  [['start', '--workers'], /--workers needs a value/],
  [['start', '5'], /'start' does not take 5/],
  [['status', '--remove'], /'status' does not take --remove/],
  [['logs', 'nginx'], /no service 'nginx'/],
  [['put'], /put needs a FILE/],
  [['kill-worker'], /needs a NAME/],
])('%j is refused, with the usage', (args, message) => {
  const parsing = () => parseInvocation(args);
  expect(parsing).toThrow(ClusterError);
  expect(parsing).toThrow(message);
  expect(parsing).toThrow(/npm run cluster -- COMMAND/);
});
