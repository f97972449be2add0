// Original file: proto/worker.proto

import type { AttemptId as _millrace_v1_AttemptId, AttemptId__Output as _millrace_v1_AttemptId__Output } from '../../millrace/v1/AttemptId.ts';

export interface Hello {
  'workerId'?: (string);
  'protocolVersion'?: (number);
  'softwareVersion'?: (string);
  'host'?: (string);
  'fetchAddress'?: (string);
  'slots'?: (number);
  'pid'?: (number);
  'running'?: (_millrace_v1_AttemptId)[];
  'held'?: (_millrace_v1_AttemptId)[];
  'replaces'?: (string)[];
  'draining'?: (boolean);
  'epochSeen'?: (number);
  'jobIds'?: (string)[];
  'home'?: (string);
}

export interface Hello__Output {
  'workerId': (string);
  'protocolVersion': (number);
  'softwareVersion': (string);
  'host': (string);
  'fetchAddress': (string);
  'slots': (number);
  'pid': (number);
  'running': (_millrace_v1_AttemptId__Output)[];
  'held': (_millrace_v1_AttemptId__Output)[];
  'replaces': (string)[];
  'draining': (boolean);
  'epochSeen': (number);
  'jobIds': (string)[];
  'home': (string);
}
