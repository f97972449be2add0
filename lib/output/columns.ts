/**
 * The types of tsv columns. The text alone cannot tell `1` from `'1'`, so each part keeps what its columns held:
 * `string`, `number`, `bigint`, `boolean`, `json` (objects, arrays, Dates as their JSON text; also any mixture of numbers,
 * booleans and those), `bytes` (base64). Other mixtures read back as strings. An empty field is null, but '' in a
 * string column. A leading `scalar` says that the records were single values, not arrays.
 */
export type ColumnType = 'string' | 'number' | 'bigint' | 'boolean' | 'json' | 'bytes';

const bits: Readonly<Record<ColumnType, number>> = {
  string: 1,
  number: 2,
  bigint: 4,
  boolean: 8,
  json: 16,
  bytes: 32,
};
/** NaN and the infinities are numbers, but no JSON. */
const notFiniteBit = 64;
const jsonBits = bits.number | bits.boolean | bits.json;

const scalar = 'scalar';

/** What the columns of a part have held so far. */
export class ColumnTypes {
  readonly #masks: number[] = [];
  #hasScalars = false;
  #hasArrays = false;

  noteField(index: number, type: ColumnType): void {
    this.#masks[index] = (this.#masks[index] ?? 0) | bits[type];
  }

  noteNumber(index: number, value: number): void {
    const bit = Number.isFinite(value) ? bits.number : bits.number | notFiniteBit;
    this.#masks[index] = (this.#masks[index] ?? 0) | bit;
  }

  noteNull(index: number): void {
    this.#masks[index] ??= 0;
  }

  noteRecord(isArray: boolean): void {
    if (isArray) this.#hasArrays = true;
    else this.#hasScalars = true;
  }

  /** For `StagedPart.columns`. */
  toList(): string[] {
    const types = this.#masks.map(typeOfMask);
    return this.#hasScalars && !this.#hasArrays ? [scalar, ...types] : types;
  }
}

function typeOfMask(mask: number): ColumnType {
  for (const [type, bit] of Object.entries(bits)) {
    if ((mask & ~notFiniteBit) === bit) return type as ColumnType;
  }
  return (mask & ~jsonBits) === 0 ? 'json' : 'string';
}

/** Gives the record of a line. Throws a SyntaxError for a field that is not of its column's type. */
export function tsvRowReader(columns: readonly string[]): (line: string) => unknown {
  if (columns[0] === scalar) return (line) => readField(line, columns[1]);
  return (line) => line.split('\t').map((field, index) => readField(field, columns[index]));
}

function readField(text: string, type: string | undefined): unknown {
  if (type === undefined || type === 'string') return text;
  if (text === '') return null;
  switch (type) {
    case 'number':
      return Number(text);
    case 'bigint':
      return BigInt(text);
    case 'boolean':
      return text === 'true';
    case 'json':
      return JSON.parse(text);
    case 'bytes':
      return new Uint8Array(Buffer.from(text, 'base64'));
    default:
      return text;
  }
}
