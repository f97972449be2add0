/** Groups with large values: all bodies of a user go to one reduce. */
import { defineJob, jsonl } from 'millrace';

interface Message {
  readonly user: string;
  readonly body: string;
}

export default defineJob(import.meta, {
  name: 'group',
  input: jsonl<Message>(),
  *map({ user, body }) {
    yield [user, body];
  },
  *reduce(user, bodies) {
    let count = 0;
    let bytes = 0;
    let longest = 0;
    for (const { length } of bodies) {
      count++;
      bytes += length;
      longest = Math.max(longest, length);
    }
    yield [user, `${count} ${bytes} ${longest}`];
  },
});
