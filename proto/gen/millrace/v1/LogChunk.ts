// Original file: proto/client.proto

import type { LogEntry as _millrace_v1_LogEntry, LogEntry__Output as _millrace_v1_LogEntry__Output } from '../../millrace/v1/LogEntry.ts';

export interface LogChunk {
  'entries'?: (_millrace_v1_LogEntry)[];
}

export interface LogChunk__Output {
  'entries': (_millrace_v1_LogEntry__Output)[];
}
