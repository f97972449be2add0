/** What `millrace doctor` found, for people: a line per check, what is wrong in full. */
import type { Diagnosis, DiagnosisReport, Finding } from '../../lib/diagnosis.ts';
import { formatDurationMs } from '../../lib/units.ts';
import { plural } from './progress.ts';
import { type Paint, plain } from './style.ts';

export function renderDiagnosis(report: DiagnosisReport, paint: Paint = plain): string[] {
  const findings = report.diagnoses.flatMap((diagnosis) => diagnosis.findings);
  const failed = findings.filter(({ ok }) => !ok).length;
  const verdict = failed === 0 ? paint('good', 'all ok') : paint('bad', `${failed} failed`);
  return [
    ...report.diagnoses.flatMap((diagnosis) => renderOne(diagnosis, paint)),
    `${plural(findings.length, 'check')}, ${verdict}`,
  ];
}

function renderOne(diagnosis: Diagnosis, paint: Paint): string[] {
  const { where, softwareVersion, nodeVersion } = diagnosis;
  const versions = softwareVersion === '' ? '' : `  millrace ${softwareVersion}, Node ${nodeVersion}`;
  const findings = foldFetches(diagnosis.findings);
  const width = Math.max(0, ...findings.map(({ check }) => check.length));
  return [
    `${paint('strong', where)}${paint('dim', versions)}`,
    ...findings.map(({ check, ok, detail, ms }) => {
      const mark = ok ? paint('good', '  ok  ') : paint('bad', '  FAIL');
      const took = ok && ms >= 1 ? paint('dim', `  (${formatDurationMs(ms)})`) : '';
      return `${mark}  ${check.padEnd(width)}  ${detail}${took}`;
    }),
  ];
}

/** A worker reaches its peers or it does not: those it reaches are one line, those it does not are one each. */
function foldFetches(findings: readonly Finding[]): Finding[] {
  const fetches = findings.filter(({ check, ok }) => ok && check.startsWith('fetch from '));
  if (fetches.length < 2) return [...findings];
  const others = findings.filter((finding) => !fetches.includes(finding));
  const ms = Math.max(...fetches.map((finding) => finding.ms));
  const check = `fetch from ${fetches.length} workers`;
  return [...others, { check, ok: true, detail: 'each answers at its advertised address', ms }];
}
