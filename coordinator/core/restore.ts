/** From what earlier coordinators made durable to a state to go on from. */
import { assert } from '../../lib/assert.ts';
import type { EventOf } from './events.ts';
import type { Turn } from './turn.ts';

export function journalReplayed(turn: Turn, { records }: EventOf<'journal-replayed'>): void {
  assert(turn.state.jobs.size === 0 && turn.state.workers.size === 0, 'the journal is replayed first');
  assert(records.length === 0, 'replay is being built');
}
