/** From the fields of a CSV row to a record, the same for both ways of reading CSV. */

export type CsvRecord = readonly string[] | Readonly<Record<string, string>>;

/** Gives the record of a row; throws an Error when its number of fields is not that of the first row. */
export type ToRecord = (fields: readonly string[]) => CsvRecord;

/** `firstRow` is the header line, or with `header: false` the first record: either way it says how many fields a row has. */
export function recordMaker(firstRow: readonly string[], header: boolean): ToRecord {
  const width = firstRow.length;
  if (header) checkHeader(firstRow);
  return (fields) => {
    if (fields.length !== width) {
      throw new Error(
        `the row has ${fields.length} fields, the ${header ? 'header' : 'first row'} has ${width}`,
      );
    }
    if (!header) return fields;
    const record: Record<string, string> = {};
    for (let index = 0; index < width; index++) record[firstRow[index] ?? ''] = fields[index] ?? '';
    return record;
  };
}

function checkHeader(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new Error(`the header has the column ${JSON.stringify(name)} twice`);
    if (name === '__proto__')
      throw new Error('the header has a column "__proto__", which no record can hold');
    seen.add(name);
  }
}
