import type { ServiceDefinition } from '@grpc/grpc-js';
import { service as health } from 'grpc-health-check';
import { expect, test } from 'vitest';
import * as protos from '../../proto/load.ts';
import { ruleOf } from './role.ts';

/** Every `load…Service` of proto/load.ts: a new service is seen here without being named. */
const services = Object.entries(protos)
  .filter(([name]) => /^load\w+Service$/.test(name))
  .map(([, load]) => (load as () => { service: ServiceDefinition })().service);
const paths = [...services, health].flatMap((service) => Object.values(service).map(({ path }) => path));

test('every method of every service has a rule', () => {
  expect(paths.length).toBeGreaterThanOrEqual(14);
  expect(paths.filter((path) => ruleOf(path) === undefined)).toEqual([]);
});

test('only the health service is open, and only fetching goes by ticket', () => {
  expect(
    paths.filter((path) => ruleOf(path) === 'open').every((path) => path.startsWith('/grpc.health.')),
  ).toBe(true);
  expect(paths.filter((path) => ruleOf(path) === 'ticket')).toEqual([
    '/millrace.v1.Shuffle/Fetch',
    '/millrace.v1.Shuffle/Ping',
    '/millrace.v1.Shuffle/Verify',
  ]);
});

test.each(['/millrace.v1.Client/Nuke', '', 'toString', '__proto__', '/millrace.v1.Client/submit'])(
  'the method %j has no rule',
  (path) => {
    expect(ruleOf(path)).toBeUndefined();
  },
);
