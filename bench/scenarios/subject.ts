/** Whoever takes part in a scenario: a variant of ours, or a peer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest } from '../../lib/success-manifest.ts';
import { cliPath, jobPath } from '../paths.ts';
import type { Command, Peer, PeerProgram, PeerTask } from '../peers/peer.ts';
import type { Variant } from './scenarios.ts';

export interface Subject {
  /** `millrace, generator`, or the name of a peer. */
  readonly name: string;
  readonly isOurs: boolean;
  readonly isSlow: boolean;
  command(task: PeerTask): Command;
}

export function ours(variant: Variant): Subject {
  return {
    name: `millrace, ${variant.name}`,
    isOurs: true,
    isSlow: false,
    command: ({ input, output, threads }) => ({
      program: process.execPath,
      args: [
        ...[cliPath, 'run', jobPath(variant.job), '-i', input, '-o', output],
        ...['--slots', String(threads), '--quiet', ...(variant.flags ?? [])],
      ],
    }),
  };
}

export function theirs(peer: Peer, program: PeerProgram): Subject {
  return {
    name: peer.name,
    isOurs: false,
    isSlow: peer.isSlow,
    command: (task) => program.command(task),
  };
}

/** What our reduces fetched, by the audit of the output; 0 for a map-only job. */
export function shuffledBytes(output: string): number {
  const manifest = parseManifest(readFileSync(join(output, '_SUCCESS'), 'utf8'), output);
  return manifest.audit?.fetched.bytes ?? 0;
}
