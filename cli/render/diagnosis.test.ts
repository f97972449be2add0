import { expect, test } from 'vitest';
import type { Diagnosis, Finding } from '../../lib/diagnosis.ts';
import { renderDiagnosis } from './diagnosis.ts';

const ok = (check: string, ms = 0): Finding => ({ check, ok: true, detail: 'fine', ms });
const diagnosis = (where: string, ...findings: Finding[]): Diagnosis => ({
  where,
  softwareVersion: '0.1.0',
  nodeVersion: 'v24.0.0',
  clockMs: 1,
  findings,
});

test('a line per check, in columns; what took time says so', () => {
  const report = { ok: true, diagnoses: [diagnosis('coordinator', ok('store: put', 12), ok('clock'))] };
  expect(renderDiagnosis(report)).toEqual([
    'coordinator  millrace 0.1.0, Node v24.0.0',
    '  ok    store: put  fine  (12ms)',
    '  ok    clock       fine',
    '2 checks, all ok',
  ]);
});

test('the peers that a worker reaches are one line, each that it does not is its own', () => {
  const bad = { check: 'fetch from w9', ok: false, detail: 'leads elsewhere', ms: 5 };
  const found = diagnosis('w1', ok('fetch from w2', 3), bad, ok('fetch from w3', 4));
  expect(renderDiagnosis({ ok: false, diagnoses: [found] })).toEqual([
    'w1  millrace 0.1.0, Node v24.0.0',
    '  FAIL  fetch from w9         leads elsewhere',
    '  ok    fetch from 2 workers  each answers at its advertised address  (4ms)',
    '3 checks, 1 failed',
  ]);
});

test('a worker that said nothing shows no version', () => {
  const silent = { ...diagnosis('w1', { check: 'answer', ok: false, detail: 'no answer', ms: 9 }) };
  const shown = renderDiagnosis({
    ok: false,
    diagnoses: [{ ...silent, softwareVersion: '', clockMs: null }],
  });
  expect(shown).toEqual(['w1', '  FAIL  answer  no answer', '1 check, 1 failed']);
});
