import { expect, test } from 'vitest';
import { advertisedAddress, formatAddress, isLoopback, parseAddress } from './address.ts';

test.each(['127.0.0.1:7450', 'localhost:0', '[::1]:80'])('%s parses and prints the same', (text) => {
  expect(formatAddress(parseAddress(text, '--listen'))).toBe(text);
});

test.each(['7450', ':7450', 'host', 'host:', 'host:99999', 'a:b:1'])(
  '%s is refused, naming the setting',
  (text) => {
    expect(() => parseAddress(text, '--listen')).toThrow(/--listen must be HOST:PORT/);
  },
);

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['localhost', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['10.0.0.1', false],
  ['example.org', false],
  ['::', false],
  ['127.0.0.1.example.org', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test.each([
  ['127.0.0.1:7000', undefined, '127.0.0.1:7000'],
  ['0.0.0.0:7000', undefined, 'box:7000'],
  ['[::]:7000', undefined, 'box:7000'],
  ['0.0.0.0:7000', 'worker-3', 'worker-3:7000'],
  ['0.0.0.0:7000', '10.0.0.7', '10.0.0.7:7000'],
  ['0.0.0.0:7000', 'fd00::7', '[fd00::7]:7000'],
  ['0.0.0.0:7000', '[fd00::7]', '[fd00::7]:7000'],
  ['0.0.0.0:7000', 'nat.example.org:9', 'nat.example.org:9'],
])('bound to %s and told %s, a worker advertises %s', (bound, given, expected) => {
  expect(advertisedAddress(given, bound, 'box')).toBe(expected);
});

test('an address to advertise that is none names the setting', () => {
  expect(() => advertisedAddress('a:b:c', '127.0.0.1:1', 'box')).toThrow(/--advertise.*must be HOST:PORT/);
});
