/**
 * The records of the sort benchmark, byte for byte what `gensort -a` writes: a key of 10 printable characters, the record's number in 32 hexadecimal
 * digits, filler, CR LF; 100 bytes. Its random numbers are a 128-bit linear congruential generator.
 */
import type { ByteWriter } from './byte-writer.ts';

export const gensortRecordBytes = 100;
const keyLetters = 95;
const limbs = 8;
/** 0x2360ed051fc65da44385df649fccf645 and 0x4a696d47726179524950202020202001 in limbs of 16 bits, the lowest first. */
const multiplier = [0xf645, 0x9fcc, 0xdf64, 0x4385, 0x5da4, 0x1fc6, 0xed05, 0x2360];
const increment = [0x2001, 0x2020, 0x2020, 0x4950, 0x7952, 0x7261, 0x6d47, 0x4a69];
const hexDigits = Buffer.from('0123456789ABCDEF');

/** Seed 1 starts at the first record of gensort; others start elsewhere in its numbers. */
export function writeGensort(writer: ByteWriter, bytes: number, seed: number): void {
  const state = new Uint16Array(limbs);
  state[4] = seed - 1;
  for (let record = 0; record < Math.floor(bytes / gensortRecordBytes); record++) {
    next(state);
    writer.reserve(gensortRecordBytes);
    writeRecord(writer.buffer, writer.at, state, record);
    writer.at += gensortRecordBytes;
  }
}

/** `state * multiplier + increment` modulo 2^128. A column of products of 16 bits stays below 2^53. */
function next(state: Uint16Array): void {
  const [a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0, a7 = 0] = state;
  const a = [a0, a1, a2, a3, a4, a5, a6, a7];
  let carry = 0;
  for (let column = 0; column < limbs; column++) {
    let sum = carry + increment[column]!;
    for (let at = 0; at <= column; at++) sum += a[at]! * multiplier[column - at]!;
    state[column] = sum % 0x10000;
    carry = Math.floor(sum / 0x10000);
  }
}

function writeRecord(buffer: Buffer, at: number, state: Uint16Array, record: number): void {
  buffer.fill(' ', at, at + 46);
  writeLetters(buffer, at, 8, state, 4);
  writeLetters(buffer, at + 8, 2, state, 0);
  for (let digit = 0, rest = record; digit < 32; digit++, rest = Math.floor(rest / 16))
    buffer[at + 43 - digit] = hexDigits[rest % 16]!;
  for (let digit = 0; digit < 13; digit++) {
    const value = (state[digit >> 2]! >> ((digit & 3) * 4)) & 15;
    buffer.fill(hexDigits[value]!, at + 94 - digit * 4, at + 98 - digit * 4);
  }
  buffer[at + 98] = 13;
  buffer[at + 99] = 10;
}

const quotient = new Uint16Array(4);

/** Of the 64-bit number whose limbs begin at `from`, the lowest digits in base 95. */
function writeLetters(buffer: Buffer, at: number, letters: number, state: Uint16Array, from: number): void {
  for (let limb = 0; limb < 4; limb++) quotient[limb] = state[from + limb]!;
  for (let letter = 0; letter < letters; letter++) {
    let rest = 0;
    for (let limb = 3; limb >= 0; limb--) {
      const value = rest * 0x10000 + quotient[limb]!;
      quotient[limb] = value / keyLetters;
      rest = value % keyLetters;
    }
    buffer[at + letter] = 32 + rest;
  }
}
