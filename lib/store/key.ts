/** The rules for object keys that every store shares, and their order. */
import { MillraceError } from '../errors.ts';

/** Exclusive: S3 allows 1024 bytes, and every store has to be able to hold what another one does. */
export const keyBytesLimit = 1024;

/** Names that begin with this are the folder store's own: never listed, never a key. */
export const reservedPrefix = '.millrace-';

const ownerPattern = /^[A-Za-z0-9_-]{1,64}$/;

/** Throws `invalid-argument` unless `key` can name an object in every store. */
export function checkKey(key: string): void {
  checkPrefix(key);
  if (key === '' || key.endsWith('/')) throw badKey(key, 'its last part is empty');
  checkPart(key, key.slice(key.lastIndexOf('/') + 1));
}

/** The same for the beginning of keys: it may be empty, end with `/`, or stop in the middle of a name. */
export function checkPrefix(prefix: string): void {
  if (prefix.includes('\0')) throw badKey(prefix, 'it holds a NUL character');
  if (!prefix.isWellFormed()) throw badKey(prefix, 'it is not well-formed Unicode');
  if (Buffer.byteLength(prefix) >= keyBytesLimit) {
    throw badKey(
      prefix,
      `it has ${Buffer.byteLength(prefix)} bytes, and must have less than ${keyBytesLimit}`,
    );
  }
  const parts = prefix.split('/');
  for (const part of parts.slice(0, -1)) checkPart(prefix, part);
}

/** Throws `invalid-argument` unless `owner` is an id that may become part of a file name. */
export function checkOwner(owner: string): void {
  if (ownerPattern.test(owner)) return;
  throw new MillraceError(
    'invalid-argument',
    `owner must match ${ownerPattern.source}, got ${JSON.stringify(owner)}`,
  );
}

/** Orders keys by their UTF-8 bytes; `<` on strings orders by UTF-16 units, which differs above U+FFFF. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA !== unitB) return byteRank(unitA) - byteRank(unitB);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others: they move behind U+E000 to U+FFFF. */
function byteRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function checkPart(key: string, part: string): void {
  if (part === '') throw badKey(key, 'it has an empty part (a leading, trailing or double slash)');
  if (part === '.' || part === '..') throw badKey(key, `it has the part ${JSON.stringify(part)}`);
  if (part.startsWith(reservedPrefix)) {
    throw badKey(key, `names that begin with ${JSON.stringify(reservedPrefix)} are reserved`);
  }
}

function badKey(key: string, why: string): MillraceError {
  const shown = key.length > 200 ? `${key.slice(0, 200)}…` : key;
  return new MillraceError('invalid-argument', `${JSON.stringify(shown)} cannot be an object key: ${why}`);
}
