/** The value codec beside JSON and v8.serialize. */
import { deserialize, serialize } from 'node:v8';
import { decodeValue, encodeValue } from '../../lib/codec/value-codec.ts';
import { cpuOf, measureEach, measureStages, type Rate } from './rate.ts';

const values = 100_000;
const arenaBytes = 64 * 1024 * 1024;

interface Codec {
  /** Returns the bytes written to the arena at `at`. */
  encode(arena: Buffer, value: unknown, at: number): number;
  decode(arena: Buffer, start: number, end: number): unknown;
}

const codecs: Readonly<Record<string, Codec>> = {
  millrace: {
    encode: (arena, value, at) => encodeValue(value, arena, at) - at,
    decode: decodeValue,
  },
  JSON: {
    encode: (arena, value, at) => arena.write(JSON.stringify(value), at),
    decode: (arena, start, end) => JSON.parse(arena.toString('utf8', start, end)),
  },
  'v8.serialize': {
    encode: (arena, value, at) => serialize(value).copy(arena, at),
    decode: (arena, start, end) => deserialize(arena.subarray(start, end)),
  },
};

const data: Readonly<Record<string, (index: number) => unknown>> = {
  'the number 1': () => 1,
  integers: (index) => index * 7919,
  floats: (index) => index / 7,
  'short strings': (index) => `word-${index % 5000}`,
  'log objects': (index) => ({
    host: `web-${index % 40}.example.com`,
    path: `/articles/${index % 9000}/comments`,
    status: index % 50 ? 200 : 404,
    bytes: index * 31,
    ms: index / 3,
    cached: index % 3 === 0,
    tags: ['get', 'http2'],
  }),
};

export function valueCodec(): Promise<Rate[]> {
  const arena = Buffer.allocUnsafeSlow(arenaBytes);
  return measureEach(Object.entries(data), ([name, make]) => {
    const list = Array.from({ length: values }, (_, index) => make(index));
    return measureEach(Object.entries(codecs), ([codec, its]) =>
      measureCodec(`${name}, ${codec}`, its, list, arena),
    );
  });
}

async function measureCodec(
  what: string,
  codec: Codec,
  list: readonly unknown[],
  arena: Buffer,
): Promise<Rate[]> {
  const ends = new Uint32Array(list.length);
  const encode = () => {
    let at = 0;
    for (let index = 0; index < list.length; index++) {
      at += codec.encode(arena, list[index], at);
      ends[index] = at;
    }
  };
  const decode = () => {
    let from = 0;
    for (const end of ends) {
      codec.decode(arena, from, end);
      from = end;
    }
  };
  const rates = await measureStages(what, list.length, 'ops/s', () => ({
    encode: cpuOf(encode),
    decode: cpuOf(decode),
  }));
  return [...rates, { what: `${what}, size`, unit: 'bytes', samples: [(ends.at(-1) ?? 0) / list.length] }];
}
