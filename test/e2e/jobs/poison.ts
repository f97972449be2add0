/** Counts users by JSON lines; a line without a user makes map throw after it has yielded already. */
import { defineJob, jsonl } from 'millrace';

interface Visit {
  readonly user?: { readonly name: string };
  readonly page: string;
}

export default defineJob(import.meta, {
  name: 'poison',
  input: jsonl<Visit>(),
  reducers: 2,
  *map(visit, ctx) {
    yield [`page ${visit.page}`, 1];
    ctx.counter('visits').add();
    yield [nameOf(visit), 1];
  },
  *reduce(key, counts) {
    let total = 0;
    for (const count of counts) total += count;
    yield [key, total];
  },
});

function nameOf(visit: Visit): string {
  return `user ${visit.user!.name}`;
}
