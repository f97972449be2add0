/** JSON text of output values, refusing what JSON would change without a word. */
import { MillraceError } from '../errors.ts';

const previewCharsMax = 120;

/** One line. Throws `not-encodable` for bigint, bytes, Map, Set, functions and cycles, naming the path to them. */
export function jsonText(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    checkJson(value, 'the record', new Set());
    throw notEncodable(value, error instanceof Error ? error.message : String(error));
  }
  checkJson(value, 'the record', new Set());
  if (text === undefined) throw notEncodable(value, `${typeof value} has no JSON form`);
  return text;
}

/** `why` the record cannot be written, with its beginning. */
export function notEncodable(record: unknown, why: string): MillraceError {
  return new MillraceError('not-encodable', `cannot write the output record ${preview(record)}: ${why}`);
}

function checkJson(value: unknown, path: string, above: Set<object>): void {
  if (typeof value === 'bigint') {
    throw new MillraceError(
      'not-encodable',
      `${path} is the bigint ${value}, which JSON cannot hold; write String(value) instead`,
    );
  }
  if (typeof value !== 'object' || value === null) return;
  const why = whyNotJson(value);
  if (why) throw new MillraceError('not-encodable', `${path} is a ${value.constructor.name}; ${why}`);
  if ('toJSON' in value && typeof value.toJSON === 'function') return;
  if (above.has(value)) throw new MillraceError('not-encodable', `${path} contains itself`);
  above.add(value);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) checkEntry(value[index], path, index, above);
  } else {
    for (const [name, member] of Object.entries(value)) checkEntry(member, path, name, above);
  }
  above.delete(value);
}

/** The path is put together only for what needs one: most values are plain. */
function checkEntry(value: unknown, path: string, name: string | number, above: Set<object>): void {
  if (typeof value !== 'bigint' && (typeof value !== 'object' || value === null)) return;
  checkJson(value, `${path}[${JSON.stringify(name)}]`, above);
}

function whyNotJson(value: object): string | undefined {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return "JSON has no bytes: write Buffer.from(value).toString('base64') or use fixedLength(n)";
  }
  if (value instanceof Map) return 'JSON would write {}: write Object.fromEntries(map) or [...map] instead';
  if (value instanceof Set) return 'JSON would write {}: write [...set] instead';
  return undefined;
}

function preview(record: unknown): string {
  let text: string;
  try {
    text =
      JSON.stringify(record, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)) ??
      String(record);
  } catch {
    text = String(record);
  }
  return text.length > previewCharsMax ? `${text.slice(0, previewCharsMax)}…` : text;
}
