/** One query of polars from a file into a file: `node query.mjs SCENARIO INPUT OUTPUT TEXT`; PEER_FOLDER has the package. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [scenario, input, output, text] = process.argv.slice(2);
const { default: pl } = createRequire(join(process.env.PEER_FOLDER, 'x'))('nodejs-polars');

const { col } = pl;

/** A quote character that is not given is no quote character; without the key it would be `"`. */
const scan = (columns, sep, path = input) =>
  pl.scanCSV(path, { sep, quoteChar: undefined, hasHeader: false, schema: columns });
/** Lines as they are: \x02 is a byte that no input has. */
const lines = (path) => scan({ line: pl.Utf8 }, '\x02', path);

const accessLog = () =>
  scan(
    Object.fromEntries(
      ['host', 'ident', 'user', 'date', 'zone', 'method', 'path', 'protocol', 'status', 'bytes', 'ms'].map(
        (name) => [name, ['status', 'bytes', 'ms'].includes(name) ? pl.Int32 : pl.Utf8],
      ),
    ),
    ' ',
  );

/** Groups in any order: keeping the order of the input costs a third more. */
const groups = (frame, key, ...values) => frame.groupBy(key, false).agg(...values);
const countWords = (path) =>
  groups(
    lines(path).select(col('line').str.split(' ').alias('word')).explode('word'),
    'word',
    pl.count('word').alias('n'),
  );

/** ceil(0.99 n) in whole numbers: none of the interpolations of quantile() here is the nearest rank. */
const rank = pl.count('ms').mul(99).add(99).div(100).cast(pl.Int64);

const queries = {
  'word-count': () => countWords(),
  'start-up': () => countWords(),
  'small-files': () => countWords(`${input}/**/*.txt`),
  sort: () => lines().sort('line'),
  grep: () => lines().filter(col('line').str.contains(text, true)).select(pl.count('line')),
  'inverted-index': () =>
    groups(
      scan({ document: pl.Utf8, text: pl.Utf8 }, '\t')
        .select(col('document'), col('text').str.split(' ').alias('word'))
        .explode('word'),
      'word',
      col('document').unique().sort().alias('documents'),
    ).select(col('word'), col('documents').lst.join(',')),
  p99: () => groups(accessLog(), 'path', col('ms').sort().gather(rank.sub(1)).first()),
  'map-only': () => accessLog().filter(col('status').gtEq(500)).select('path', 'ms'),
};

const inOrder = scenario === 'sort' || scenario === 'map-only';
queries[scenario]()
  .sinkCSV(output, {
    includeHeader: false,
    separator: '\t',
    quoteStyle: 'never',
    checkExtension: false,
    maintainOrder: inOrder,
  })
  .collectSync({ engine: 'streaming' });
