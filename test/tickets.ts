/** A ticket issuer and the keys of a worker that has joined it, for tests that fetch. */
import { type Clock, systemClock } from '../lib/clock.ts';
import { TicketIssuer, TicketKeys } from '../lib/security/ticket.ts';

export function makeTickets(clock: Clock = systemClock): { issuer: TicketIssuer; keys: TicketKeys } {
  const issuer = new TicketIssuer(clock, 1);
  const keys = new TicketKeys(clock);
  keys.add(issuer.key);
  return { issuer, keys };
}
