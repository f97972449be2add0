import { join } from 'node:path';
import { expect, test } from 'vitest';
import { excerptOf, sourceExcerpt, topFrame, userSourceUrl, userStack } from './user-stack.ts';

function errorWith(stack: string, options?: { cause?: unknown }): Error {
  const error = new TypeError('bad', options);
  error.stack = stack;
  return error;
}

test('frames of Node and of Millrace are dropped, bundled sources become project paths', () => {
  const stack = `TypeError: bad
    at parse (job:///lib%20%C3%A9/parse.ts:7:11)
    at Object.map (job:///p99.ts:8:20)
    at map.next (<anonymous>)
    at <anonymous> (job:///node_modules/x/index.js:1:1)
    at defineJob (millrace:///sdk/define-job.ts:3:4)
    at runMapper (file:///opt/millrace/worker/map/run-mapper.js:1:2)
    at process.processTicksAndRejections (node:internal/process/task_queues:104:5)`;
  expect(userStack(errorWith(stack))).toBe(
    [
      '    at parse (lib é/parse.ts:7:11)',
      '    at map (p99.ts:8:20)',
      '    at node_modules/x/index.js:1:1',
    ].join('\n'),
  );
});

test('files outside the project keep their way up', () => {
  const url = userSourceUrl('../../shared/a b.ts');
  expect(new URL(url).href).toBe(url);
  expect(userStack(errorWith(`E\n    at ${url}:1:2`))).toBe('    at ../../shared/a b.ts:1:2');
});

test('without a bundle, files are shown relative to the working directory', () => {
  const stack = `TypeError: bad
    at map (file://${join(process.cwd(), 'examples/p99.ts')}:8:20)
    at ${join(process.cwd(), 'my jobs/x.ts')}:1:2
    at run (${join(process.cwd(), 'worker/map/run-mapper.ts')}:1:2)
    at grpc (${join(process.cwd(), 'node_modules/@grpc/grpc-js/x.js')}:1:2)
    at node:internal/x:3:3`;
  expect(userStack(errorWith(stack))).toBe('    at map (examples/p99.ts:8:20)\n    at my jobs/x.ts:1:2');
});

test('causes follow', () => {
  const cause = errorWith('Error: x\n    at job:///a.ts:1:1');
  expect(userStack(errorWith('E\n    at job:///b.ts:2:2', { cause }))).toBe(
    '    at b.ts:2:2\nCaused by TypeError: bad\n    at a.ts:1:1',
  );
});

test('what has no stack has an empty one, and a long one is cut at whole lines of at most 8 KiB', () => {
  expect(userStack('thrown text')).toBe('');
  expect(userStack(undefined)).toBe('');
  expect(userStack(errorWith('no frames'))).toBe('');
  const long = userStack(errorWith(`E\n${'    at é (job:///a.ts:1:1)\n'.repeat(1000)}`));
  expect(Buffer.byteLength(long)).toBeLessThanOrEqual(8 * 1024);
  expect(Buffer.byteLength(long)).toBeGreaterThan(8 * 1024 - 30);
  expect(long.endsWith('(a.ts:1:1)')).toBe(true);
});

test('the top frame is where to look first', () => {
  expect(topFrame('    at parse (lib é/parse.ts:7:11)\n    at x (b.ts:1:1)')).toEqual({
    file: 'lib é/parse.ts',
    line: 7,
    column: 11,
  });
  expect(topFrame('    at src/b.ts:12:1')).toEqual({ file: 'src/b.ts', line: 12, column: 1 });
  expect(topFrame('')).toBeUndefined();
});

test('an excerpt shows two lines before and marks the line', () => {
  expect(excerptOf('a\nb\nc\nd\n', 3)).toBe('   1 | a\n   2 | b\n > 3 | c');
  expect(excerptOf('a\nb\n', 1)).toBe(' > 1 | a');
  expect(excerptOf('a', 5)).toBeUndefined();
  const ten = Array.from({ length: 10 }, (_, i) => `l${i + 1}`).join('\n');
  expect(excerptOf(ten, 10)).toBe('    8 | l8\n    9 | l9\n > 10 | l10');
});

test('the excerpt comes from the sources in the inline map of a bundle', () => {
  const map = {
    sources: [userSourceUrl('src/a.ts'), 'millrace:///x.ts'],
    sourcesContent: ['one\ntwo', null],
  };
  const code = `x();\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}\n`;
  expect(sourceExcerpt(Buffer.from(code), 'src/a.ts', 2)).toBe('   1 | one\n > 2 | two');
  expect(sourceExcerpt(code, 'src/b.ts', 2)).toBeUndefined();
  expect(sourceExcerpt('no map', 'src/a.ts', 2)).toBeUndefined();
});
