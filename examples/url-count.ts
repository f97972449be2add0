/** How often each URL was asked for, from web server logs in the common log format. */
import { defineJob, lines, sum, tsv } from 'millrace';

/** `host ident user [date] "GET /path HTTP/1.1" status bytes` */
const request = /"[A-Z]+ (\S+)[^"]*" \d{3} /;

export default defineJob(import.meta, {
  name: 'url-count',
  input: lines(),
  *map(line, ctx) {
    const url = request.exec(line)?.[1];
    if (url) yield [url, 1];
    else ctx.counter('malformed-lines').add();
  },
  combine: sum,
  reduce: sum,
  output: tsv(),
});
