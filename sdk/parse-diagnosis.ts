/** The report of `millrace doctor` as it comes from a coordinator, checked. */
import type { Diagnosis, DiagnosisReport, Finding } from '../lib/diagnosis.ts';
import { MillraceError } from '../lib/errors.ts';

/** Throws `internal` for anything that lib/diagnosis.ts does not describe: the coordinator is of another version then. */
export function parseDiagnosisReport(text: string): DiagnosisReport {
  try {
    const report: unknown = JSON.parse(text);
    if (isReport(report)) return report;
  } catch (cause) {
    throw wrong(cause);
  }
  throw wrong();
}

function wrong(cause?: unknown): MillraceError {
  return new MillraceError(
    'internal',
    'the coordinator sent a diagnosis that this version does not understand; run the same version of Millrace on both',
    { cause },
  );
}

function isReport(value: unknown): value is DiagnosisReport {
  return isObject(value) && Array.isArray(value.diagnoses) && value.diagnoses.every(isDiagnosis);
}

function isDiagnosis(value: unknown): value is Diagnosis {
  return (
    isObject(value) &&
    typeof value.where === 'string' &&
    typeof value.softwareVersion === 'string' &&
    typeof value.nodeVersion === 'string' &&
    (value.clockMs === null || typeof value.clockMs === 'number') &&
    Array.isArray(value.findings) &&
    value.findings.every(isFinding)
  );
}

function isFinding(value: unknown): value is Finding {
  return (
    isObject(value) &&
    typeof value.check === 'string' &&
    typeof value.ok === 'boolean' &&
    typeof value.detail === 'string' &&
    typeof value.ms === 'number'
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
