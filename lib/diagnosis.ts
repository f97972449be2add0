/** What `millrace doctor` found: the documented, stable shape that `millrace doctor --json` prints. */

export interface Finding {
  /** `coordinator`, `store: conditional put`, `clock`, `fetch from WORKER`. */
  readonly check: string;
  readonly ok: boolean;
  /** What was seen; for what is not ok, what is wrong and the setting to change. */
  readonly detail: string;
  readonly ms: number;
}

export interface Diagnosis {
  /** `coordinator`, `client`, or a worker id. */
  readonly where: string;
  readonly softwareVersion: string;
  readonly nodeVersion: string;
  /** Of that process, milliseconds since 1970, when it answered; null when it did not. */
  readonly clockMs: number | null;
  readonly findings: readonly Finding[];
}

export interface DiagnosisReport {
  readonly ok: boolean;
  readonly diagnoses: readonly Diagnosis[];
}
