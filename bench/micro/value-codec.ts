/** The value codec beside JSON and v8.serialize. `node bench/micro/value-codec.ts` */
import { deserialize, serialize } from 'node:v8';
import { decodeValue, encodeValue } from '../../lib/codec/value-codec.ts';

const values = 100_000;
const rounds = 7;
const arena = Buffer.allocUnsafeSlow(64 * 1024 * 1024);

interface Codec {
  /** Returns the bytes written at the start of the arena. */
  encode(value: unknown, at: number): number;
  decode(start: number, end: number): unknown;
}

const codecs: Record<string, Codec> = {
  millrace: {
    encode: (value, at) => encodeValue(value, arena, at) - at,
    decode: (start, end) => decodeValue(arena, start, end),
  },
  JSON: {
    encode: (value, at) => arena.write(JSON.stringify(value), at),
    decode: (start, end) => JSON.parse(arena.toString('utf8', start, end)),
  },
  'v8.serialize': {
    encode: (value, at) => serialize(value).copy(arena, at),
    decode: (start, end) => deserialize(arena.subarray(start, end)),
  },
};

const data: Record<string, (index: number) => unknown> = {
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

const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1]!;
for (const [name, make] of Object.entries(data)) {
  const list = Array.from({ length: values }, (_, index) => make(index));
  for (const [codecName, codec] of Object.entries(codecs)) {
    const ends = new Uint32Array(values);
    const encodeMs: number[] = [];
    const decodeMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      let at = 0;
      for (let index = 0; index < values; index++) {
        at += codec.encode(list[index], at);
        ends[index] = at;
      }
      const encoded = performance.now();
      let from = 0;
      for (let index = 0; index < values; index++) {
        codec.decode(from, ends[index]!);
        from = ends[index]!;
      }
      encodeMs.push(encoded - start);
      decodeMs.push(performance.now() - encoded);
    }
    const nanoseconds = (times: number[]) => Math.round((median(times) / values) * 1e6);
    console.log(
      `${name.padEnd(14)} ${codecName.padEnd(13)} encode ${nanoseconds(encodeMs)} ns, decode ${nanoseconds(decodeMs)} ns, ${(ends[values - 1]! / values).toFixed(1)} bytes`,
    );
  }
}
