import { expect, test } from 'vitest';
import { formatAddress, parseAddress, requireLoopback } from './address.ts';

test.each(['127.0.0.1:7450', 'localhost:0', '[::1]:80'])('%s parses and prints the same', (text) => {
  expect(formatAddress(parseAddress(text, '--listen'))).toBe(text);
});

test.each(['7450', ':7450', 'host', 'host:', 'host:99999', 'a:b:1'])(
  '%s is refused, naming the setting',
  (text) => {
    expect(() => parseAddress(text, '--listen')).toThrow(/--listen must be HOST:PORT/);
  },
);

test.each(['0.0.0.0:1', '10.0.0.1:1', 'example.org:1', '[::]:1'])(
  '%s is not loopback and is refused',
  (text) => {
    expect(() => requireLoopback(parseAddress(text, '--listen'), '--listen')).toThrow(/loopback/);
  },
);

test.each(['127.0.0.1:1', '127.9.9.9:1', 'localhost:1', '[::1]:1'])('%s is loopback', (text) => {
  expect(() => requireLoopback(parseAddress(text, '--listen'), '--listen')).not.toThrow();
});
