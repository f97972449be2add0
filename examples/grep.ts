/** Distributed grep: the lines that match a regular expression, each after the file it is in. */
import { defineJob, lines } from 'millrace';

let pattern: RegExp;

export default defineJob(import.meta, {
  name: 'grep',
  params: { pattern: '' },
  input: lines(),
  setup(ctx) {
    pattern = new RegExp(ctx.params.pattern);
  },
  *map(line, ctx) {
    if (pattern.test(line)) yield [[ctx.source.uri, ctx.source.offset], line];
  },
  *reduce([uri], lines) {
    for (const line of lines) yield `${uri}:${line}`;
  },
  output: lines(),
});
