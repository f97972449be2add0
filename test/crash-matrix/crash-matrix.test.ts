/** Some cells of the crash matrix, of every kind: each kind of fault, of program, of step and of disturbance. All of them: `npm run test:crash-matrix`. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { cellName, findCells } from './cells.ts';
import { type CellResult, Matrix } from './matrix.ts';
import { failureText, lineOf } from './table.ts';

const cells = [
  'submit.durable=kill',
  'journal.append-after=kill',
  'lead.epoch-after=throw',
  'commit.part=kill',
  'commit.success-after=stop',
  'discard.part=kill',
  'worker.inherit-output=kill',
  'report.said=kill',
  'run.flush=enospc',
  'fetch.asked=throw',
  'part.sealed=stop',
  's3.complete-after=reset',
  'folder.publish-before=eio',
].flatMap(findCells);

await describeWithMinio('the crash matrix', (minio) => {
  let matrix: Matrix;
  beforeAll(() => {
    const onResult = (result: CellResult) => {
      if (result.tries > 1) console.log(lineOf(result));
    };
    matrix = new Matrix(minio(), { onResult });
  });
  afterAll(() => matrix?.[Symbol.asyncDispose]());

  test.each(cells.map((cell) => [cellName(cell), cell] as const))('%s', async (_, cell) => {
    const { problems } = await matrix.run(cell);
    expect(problems, matrix.failures.map(failureText).join('\n')).toEqual([]);
  });
});

test('a cell that is none is refused', () => {
  expect(() => findCells('commit.part=reset')).toThrow(/there is no cell commit.part=reset/);
  expect(findCells('commit.part').map(cellName)).toEqual([
    'commit.part=kill',
    'commit.part=stop',
    'commit.part=throw',
  ]);
  expect(findCells('=reset').every(({ action }) => action === 'reset')).toBe(true);
});
