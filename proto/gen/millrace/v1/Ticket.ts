// Original file: proto/worker.proto


export interface Ticket {
  'jobId'?: (string);
  'ticket'?: (string);
}

export interface Ticket__Output {
  'jobId': (string);
  'ticket': (string);
}
