// Original file: proto/worker.proto

import type { Peer as _millrace_v1_Peer, Peer__Output as _millrace_v1_Peer__Output } from '../../millrace/v1/Peer.ts';

export interface Diagnose {
  'id'?: (string);
  'storeUri'?: (string);
  'peers'?: (_millrace_v1_Peer)[];
  'ticket'?: (string);
}

export interface Diagnose__Output {
  'id': (string);
  'storeUri': (string);
  'peers': (_millrace_v1_Peer__Output)[];
  'ticket': (string);
}
