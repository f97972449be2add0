/** Property names by their bytes: objects of one data set share few names, so most are found again instead of decoded again. */

const slots = 512;

export class PropertyNames {
  readonly #names: (string | undefined)[] = new Array<string | undefined>(slots).fill(undefined);

  /** The string whose UTF-8 is `bytes[start, start + length)`. */
  get(bytes: Buffer, start: number, length: number): string {
    if (length === 0) return '';
    const first = bytes[start]!;
    const middle = bytes[start + (length >> 1)]!;
    const last = bytes[start + length - 1]!;
    const slot = (first * 31 + middle * 7 + last * 3 + length * 57) % slots;
    const known = this.#names[slot];
    if (known !== undefined && isAscii(known, bytes, start, length)) return known;
    const name = bytes.toString('utf8', start, start + length);
    // Only names whose characters are their bytes can be compared with them.
    if (name.length === length) this.#names[slot] = name;
    return name;
  }
}

function isAscii(name: string, bytes: Buffer, start: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (name.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
