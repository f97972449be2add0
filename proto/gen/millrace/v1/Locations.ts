// Original file: proto/worker.proto

import type { Location as _millrace_v1_Location, Location__Output as _millrace_v1_Location__Output } from '../../millrace/v1/Location.ts';
import type { Peer as _millrace_v1_Peer, Peer__Output as _millrace_v1_Peer__Output } from '../../millrace/v1/Peer.ts';
import type { Long } from '@grpc/proto-loader';

export interface Locations {
  'jobId'?: (string);
  'version'?: (number | string | Long);
  'reduces'?: (number)[];
  'found'?: (_millrace_v1_Location)[];
  'lost'?: (number)[];
  'peers'?: (_millrace_v1_Peer)[];
}

export interface Locations__Output {
  'jobId': (string);
  'version': (number);
  'reduces': (number)[];
  'found': (_millrace_v1_Location__Output)[];
  'lost': (number)[];
  'peers': (_millrace_v1_Peer__Output)[];
}
