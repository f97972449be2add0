/** One query of DuckDB from a file into a file: `node query.mjs SCENARIO INPUT OUTPUT SCRATCH THREADS TEXT`; PEER_FOLDER has the package. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [scenario, input, output, scratch, threads, text] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(join(process.env.PEER_FOLDER, 'x'))('@duckdb/node-api');

const quoted = (value) => `'${value.replaceAll("'", "''")}'`;

/** Lines as they are. The reader of CSV is the only one that reads in parallel; chr(2) is a byte that no input has. */
const lines = (pattern = input) =>
  `read_csv(${quoted(pattern)}, columns = {line: 'VARCHAR'}, delim = chr(2), quote = '', escape = '', header = false, auto_detect = false)`;

/** A request is one field in quotes, `GET /path HTTP/1.1`; a date is two. */
const accessLog = `read_csv(${quoted(input)}, delim = ' ', quote = '"', escape = '', header = false, auto_detect = false,
  columns = {host: 'VARCHAR', ident: 'VARCHAR', username: 'VARCHAR', date: 'VARCHAR', zone: 'VARCHAR', request: 'VARCHAR',
    status: 'INTEGER', bytes: 'INTEGER', ms: 'INTEGER'})`;

const words = (source) =>
  `SELECT word, count(*) FROM (SELECT unnest(string_split(line, ' ')) AS word FROM ${source}) GROUP BY word`;

const queries = {
  'word-count': words(lines()),
  'start-up': words(lines()),
  'small-files': words(lines(`${input}/**/*.txt`)),
  // Keys are unique: comparing them alone is less work than comparing whole lines.
  sort: `SELECT line FROM ${lines()} ORDER BY left(line, 10)`,
  grep: `SELECT count(*) FROM ${lines()} WHERE contains(line, ${quoted(text)})`,
  'inverted-index': `SELECT word, string_agg(document, ',' ORDER BY document)
    FROM (SELECT DISTINCT document, unnest(string_split(text, ' ')) AS word
      FROM read_csv(${quoted(input)}, columns = {document: 'VARCHAR', text: 'VARCHAR'}, delim = '\t', quote = '', escape = '',
        header = false, auto_detect = false))
    GROUP BY word`,
  p99: `SELECT split_part(request, ' ', 2) AS path, quantile_disc(ms, 0.99) FROM ${accessLog} GROUP BY path`,
  group: `SELECT user, count(*) || ' ' || sum(strlen(body)) || ' ' || max(strlen(body))
    FROM read_ndjson(${quoted(input)}, columns = {user: 'VARCHAR', body: 'VARCHAR'}) GROUP BY user`,
  'map-only': `SELECT split_part(request, ' ', 2), ms FROM ${accessLog} WHERE status >= 500`,
};

const inOrder = scenario === 'sort' || scenario === 'map-only';
const instance = await DuckDBInstance.create(':memory:', {
  threads,
  memory_limit: '4GB',
  temp_directory: scratch,
  preserve_insertion_order: String(inOrder),
});
const connection = await instance.connect();
await connection.run(
  `COPY (${queries[scenario]}) TO ${quoted(output)} (FORMAT csv, DELIMITER '\t', HEADER false, QUOTE '', ESCAPE '')`,
);
