/** What a coordinator does to lead: only on a store that has shown that it can have one leader. */
import { randomUUID } from 'node:crypto';
import { MillraceError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoints.ts';
import { probeConditionalWrites } from '../lib/store/probe.ts';
import type { StoreLocation } from '../lib/store/store.ts';
import { parseUri } from '../lib/store/uri.ts';
import { type JournalPorts, type MayLead, StoreJournal } from './journal.ts';

export type TakeLead = typeof takeLead;

/**
 * Undefined when it may not lead, or somebody else was faster. Throws `store-failed` for a store that lets two writers create one object,
 * and what the store throws, naming `--store`.
 */
export async function takeLead(
  location: StoreLocation,
  ports: JournalPorts,
  mayLead: MayLead,
): Promise<StoreJournal | undefined> {
  // What a folder does is known; what answers as S3 may be anything.
  if (parseUri(location.uri).scheme === 's3') await probe(location);
  failpoint('lead.probed');
  return StoreJournal.openIf(location, ports, mayLead);
}

async function probe({ store, key, uri }: StoreLocation): Promise<void> {
  try {
    await probeConditionalWrites(store, `${key}probe/${randomUUID()}/`, uri);
  } catch (thrown) {
    const { code, message } = MillraceError.from(thrown, 'store-failed');
    // The state that is wrong is that of the store: no other command would help.
    const said = code === 'wrong-state' ? 'store-failed' : code;
    throw new MillraceError(said, `${message} (--store, MILLRACE_STORE)`, { cause: thrown });
  }
}
