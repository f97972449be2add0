import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Inputs } from './inputs.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-inputs-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('Inputs', () => {
  it('makes an input once, and another one for another size or seed', () => {
    const said: string[] = [];
    const inputs = new Inputs(join(folder, 'data'), 1, (line) => said.push(line));
    const path = inputs.get('records', 1_000);
    const { mtimeMs, size } = statSync(path);
    expect(size).toBe(1_000);
    expect(inputs.get('records', 1_000)).toBe(path);
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
    const others = [
      inputs.get('records', 2_000),
      new Inputs(join(folder, 'data'), 2, () => undefined).get('records', 1_000),
    ];
    expect(new Set([path, ...others]).size).toBe(3);
    expect(readFileSync(others[1]!)).not.toEqual(readFileSync(path));
    expect(said).toHaveLength(2);
    expect(readdirSync(join(folder, 'data'))).toHaveLength(3);
  });

  it('makes a folder of small files', () => {
    const path = new Inputs(folder, 1, () => undefined).get('small-files', 20_000);
    expect(statSync(path).isDirectory()).toBe(true);
  });
});
