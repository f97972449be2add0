// Original file: proto/worker.proto

import type { Hello as _millrace_v1_Hello, Hello__Output as _millrace_v1_Hello__Output } from '../../millrace/v1/Hello.ts';
import type { Heartbeat as _millrace_v1_Heartbeat, Heartbeat__Output as _millrace_v1_Heartbeat__Output } from '../../millrace/v1/Heartbeat.ts';
import type { Report as _millrace_v1_Report, Report__Output as _millrace_v1_Report__Output } from '../../millrace/v1/Report.ts';
import type { FetchTrouble as _millrace_v1_FetchTrouble, FetchTrouble__Output as _millrace_v1_FetchTrouble__Output } from '../../millrace/v1/FetchTrouble.ts';
import type { FetchProgress as _millrace_v1_FetchProgress, FetchProgress__Output as _millrace_v1_FetchProgress__Output } from '../../millrace/v1/FetchProgress.ts';
import type { LogLine as _millrace_v1_LogLine, LogLine__Output as _millrace_v1_LogLine__Output } from '../../millrace/v1/LogLine.ts';
import type { PartOpened as _millrace_v1_PartOpened, PartOpened__Output as _millrace_v1_PartOpened__Output } from '../../millrace/v1/PartOpened.ts';
import type { Diagnosis as _millrace_v1_Diagnosis, Diagnosis__Output as _millrace_v1_Diagnosis__Output } from '../../millrace/v1/Diagnosis.ts';
import type { AttemptId as _millrace_v1_AttemptId, AttemptId__Output as _millrace_v1_AttemptId__Output } from '../../millrace/v1/AttemptId.ts';

export interface WorkerMessage {
  'hello'?: (_millrace_v1_Hello | null);
  'heartbeat'?: (_millrace_v1_Heartbeat | null);
  'reports'?: (_millrace_v1_Report)[];
  'fetchTroubles'?: (_millrace_v1_FetchTrouble)[];
  'fetchProgress'?: (_millrace_v1_FetchProgress)[];
  'logLines'?: (_millrace_v1_LogLine)[];
  'goodbye'?: (boolean);
  'draining'?: (boolean);
  'partsOpened'?: (_millrace_v1_PartOpened)[];
  'diagnosis'?: (_millrace_v1_Diagnosis | null);
  'mapsCopied'?: (_millrace_v1_AttemptId)[];
  'started'?: (_millrace_v1_AttemptId)[];
}

export interface WorkerMessage__Output {
  'hello': (_millrace_v1_Hello__Output | null);
  'heartbeat': (_millrace_v1_Heartbeat__Output | null);
  'reports': (_millrace_v1_Report__Output)[];
  'fetchTroubles': (_millrace_v1_FetchTrouble__Output)[];
  'fetchProgress': (_millrace_v1_FetchProgress__Output)[];
  'logLines': (_millrace_v1_LogLine__Output)[];
  'goodbye': (boolean);
  'draining': (boolean);
  'partsOpened': (_millrace_v1_PartOpened__Output)[];
  'diagnosis': (_millrace_v1_Diagnosis__Output | null);
  'mapsCopied': (_millrace_v1_AttemptId__Output)[];
  'started': (_millrace_v1_AttemptId__Output)[];
}
