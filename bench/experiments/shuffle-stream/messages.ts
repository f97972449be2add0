/** What the three processes of the experiment say to each other. */
import type { SegmentCounts } from '../../../lib/job-spec.ts';
import type { TlsOptions } from '../../../lib/security/tls.ts';

export interface ServePlan {
  /** For the run files. */
  readonly folder: string;
  readonly segments: number;
  readonly segmentBytes: number;
  readonly tls: TlsOptions;
}

export const vias = ['grpc', 'http2'] as const;
export type Via = (typeof vias)[number];
export const wires = ['plain', 'mtls'] as const;
export type Wire = (typeof wires)[number];

/** HOST:PORT by way. */
type Addresses = { readonly [V in Via]: string };

export interface ServedBytes {
  readonly ticket: string;
  /** By map. */
  readonly counts: readonly SegmentCounts[];
  readonly plain: Addresses;
  readonly mtls: Addresses;
}

/** One transfer of everything that is served. */
export interface FetchOrder {
  readonly via: Via;
  readonly wire: Wire;
}

export interface FetchedBytes {
  readonly ms: number;
  readonly bytes: number;
  /** Of the fetching process, during the transfer. */
  readonly cpuSeconds: number;
}
