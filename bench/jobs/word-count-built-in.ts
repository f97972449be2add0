/** The same with no code of the user's. */
import { count, defineJob, words } from 'millrace';

export default defineJob(import.meta, {
  name: 'word-count-built-in',
  input: words({ separatedBy: 'whitespace' }),
  combine: count,
  reduce: count,
});
