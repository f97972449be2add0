/** Reverse web-link graph: for each page, the sorted list of the pages that link to it. Input: HTML files of one site. */
import { defineJob, tsv, wholeFile } from 'millrace';

const link = /<a\s[^>]*?href="([^"#]+)/gi;

export default defineJob(import.meta, {
  name: 'web-links',
  params: { site: 'https://example.org/' },
  input: wholeFile(),
  *map(html, ctx) {
    const fileName = ctx.source.uri.slice(ctx.source.uri.lastIndexOf('/') + 1);
    const page = new URL(fileName, ctx.params.site).href;
    for (const [, target = ''] of html.matchAll(link)) {
      if (URL.canParse(target, page)) yield [new URL(target, page).href, page];
      else ctx.counter('malformed-links').add();
    }
  },
  *reduce(target, sources) {
    yield [target, [...new Set(sources)].sort()];
  },
  output: tsv(),
});
