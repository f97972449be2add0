// biome-ignore-all format: one case on one line, because that is all an expected error covers
/** What must not compile. Each case is one `@ts-expect-error`: a case that compiles after all is an error. */
import {
  count,
  csv,
  defineJob,
  type Emit,
  first,
  fixedLength,
  fold,
  jsonl,
  lines,
  max,
  rangePartition,
  sum,
  topK,
  tsv,
  wholeFile,
  words,
} from 'millrace';

// Keys.
// @ts-expect-error an object is no key
defineJob(import.meta, { name: 'x', *map(line) { yield [{ line }, 1]; } });
// @ts-expect-error nor with a reduce
defineJob(import.meta, { name: 'x', *map(line) { yield [{ line }, 1]; }, reduce: sum });
// @ts-expect-error a Date is no key
defineJob(import.meta, { name: 'x', *map(line) { yield [new Date(line), 1]; } });
// @ts-expect-error null is no key
defineJob(import.meta, { name: 'x', *map(line) { yield [line || null, 1]; } });
// @ts-expect-error what may be undefined is no key
defineJob(import.meta, { name: 'x', *map(line) { yield [line.split(' ')[0], 1]; } });
// @ts-expect-error a tuple with an object in it is no key
defineJob(import.meta, { name: 'x', *map(line) { yield [[line, { line }], 1]; } });
// @ts-expect-error nor when emitted
defineJob(import.meta, { name: 'x', mapEmit(_line, emit: Emit<{ a: 1 }, number>) { emit({ a: 1 }, 1); } });

// Values.
// @ts-expect-error a function cannot be sent
defineJob(import.meta, { name: 'x', *map(line) { yield [line, () => line]; } });
// @ts-expect-error a symbol cannot be sent
defineJob(import.meta, { name: 'x', *map(line) { yield [line, Symbol(line)]; } });
// @ts-expect-error a Map cannot be sent
defineJob(import.meta, { name: 'x', *map(line) { yield [line, new Map([[line, 1]])]; } });
// @ts-expect-error a Set cannot be sent, also inside
defineJob(import.meta, { name: 'x', *map(line) { yield [line, { words: new Set(line) }]; } });
// @ts-expect-error a promise cannot be sent
defineJob(import.meta, { name: 'x', *map(line) { yield [line, Promise.resolve(1)]; } });
// @ts-expect-error a function inside an array inside an object
defineJob(import.meta, { name: 'x', *map(line) { yield [line, { a: [() => 1] }]; } });
// @ts-expect-error undefined is no value
defineJob(import.meta, { name: 'x', *map(line) { yield [line, line.split(' ')[1]]; } });
// @ts-expect-error nor when emitted
defineJob(import.meta, { name: 'x', mapEmit(line, emit: Emit<string, () => void>) { emit(line, () => undefined); } });

// Map.
// @ts-expect-error map yields pairs
defineJob(import.meta, { name: 'x', *map(line) { yield line; } });
// @ts-expect-error map is a generator
defineJob(import.meta, { name: 'x', map(line: string) { return line.length; } });
// @ts-expect-error the record type comes from input
defineJob(import.meta, { name: 'x', *map(line: number) { yield [line, 1]; } });
// @ts-expect-error jsonl<T> records are T
defineJob(import.meta, { name: 'x', input: jsonl<{ a: string }>(), *map(record) { yield [record.b, 1]; } });
// @ts-expect-error emit takes what it is annotated with
defineJob(import.meta, { name: 'x', mapEmit(line, emit: Emit<string, number>) { emit(line, line); } });

// No map.
// @ts-expect-error a record by header is no key
defineJob(import.meta, { name: 'x', input: csv() });
// @ts-expect-error nor is one of a type that nobody knows
defineJob(import.meta, { name: 'x', input: jsonl() });
// @ts-expect-error a record has no value to add
defineJob(import.meta, { name: 'x', input: words(), reduce: sum });
// @ts-expect-error nor to rank
defineJob(import.meta, { name: 'x', reduce: topK(3) });
// @ts-expect-error the value of a pair is that of the record
defineJob(import.meta, { name: 'x', input: jsonl<[string, string]>(), reduce: sum });
// @ts-expect-error and its key
defineJob(import.meta, { name: 'x', input: jsonl<[string, string]>(), partition: (key: number, n) => key % n });

// Combine and reduce see what map yields.
// @ts-expect-error sum adds numbers
defineJob(import.meta, { name: 'x', *map(line) { yield [line, line]; }, reduce: sum });
// @ts-expect-error also as combiner
defineJob(import.meta, { name: 'x', *map(line) { yield [line, line]; }, combine: sum });
// @ts-expect-error objects have no order
defineJob(import.meta, { name: 'x', *map(line) { yield [line, { line }]; }, reduce: max });
// @ts-expect-error nor have dates, to max
defineJob(import.meta, { name: 'x', *map(line) { yield [line, new Date(line)]; }, reduce: max });
// @ts-expect-error values of fold are strings here
defineJob(import.meta, { name: 'x', *map(line) { yield [line, line]; }, reduce: fold<number>((a, b) => a + b) });
// @ts-expect-error objects have no rank
defineJob(import.meta, { name: 'x', *map(line) { yield [line, { line }]; }, reduce: topK(3) });
// @ts-expect-error a ranking is for a reduce that ranks
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, combine: topK(3), reduce: sum });
// @ts-expect-error a combiner must make values of the type it takes
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, combine: fold<string | number>((a, b) => `${a}${b}`) });
// @ts-expect-error a combiner must yield values of the type it takes
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, *combine(key, values) { yield [key, String(values)]; } });
// @ts-expect-error a combiner must yield keys of the type it takes
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, *combine(_key, _values) { yield [1, 1]; } });
// @ts-expect-error a combiner is synchronous
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, async *combine(key, _values) { yield [key, 1]; } });
// @ts-expect-error counts of strings would meet a reduce that takes strings
defineJob(import.meta, { name: 'x', *map(line) { yield [line, line]; }, combine: count, reduce: first });
// @ts-expect-error values are numbers in reduce
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, *reduce(_key, values) { for (const v of values) yield v.length; } });
// @ts-expect-error keys are strings in reduce
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, *reduce(key) { yield key.toFixed(); } });
// @ts-expect-error an annotation cannot change the type of the values
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, *reduce(key: string, values: Iterable<string>) { yield [key, values]; } });
// @ts-expect-error values are read once, not indexed
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, *reduce(_key, values) { yield values[0]; } });

// Context.
// @ts-expect-error an unknown parameter
defineJob(import.meta, { name: 'x', params: { a: 1 }, *map(line, ctx) { yield [line, ctx.params.b]; } });
// @ts-expect-error no parameters at all
defineJob(import.meta, { name: 'x', *map(line, ctx) { yield [line, ctx.params.b]; } });
// @ts-expect-error parameters are frozen
defineJob(import.meta, { name: 'x', params: { a: 1 }, *map(line, ctx) { ctx.params.a = 2; yield [line, 1]; } });
// @ts-expect-error parameters are strings, numbers and booleans
defineJob(import.meta, { name: 'x', params: { a: ['b'] }, *map(line) { yield [line, 1]; } });

// Formats.
// @ts-expect-error tsv is an output format
defineJob(import.meta, { name: 'x', input: tsv(), *map(line: string) { yield [line, 1]; } });
// @ts-expect-error csv is an input format
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, output: csv() });
// @ts-expect-error wholeFile is an input format
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, output: wholeFile() });
// @ts-expect-error options are about output
defineJob(import.meta, { name: 'x', input: lines({ compression: 'gzip' }), *map(line: string) { yield [line, 1]; } });
// @ts-expect-error an unknown compression
lines({ compression: 'lz4' });
// @ts-expect-error words are an input format
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, output: words() });
// @ts-expect-error words are not separated by letters
words({ separatedBy: 'letters' });
// @ts-expect-error a key is of the input, compression of the output
fixedLength(10, { key: 1, compression: 'gzip' });
// @ts-expect-error the length is needed
fixedLength();

// Other options.
// @ts-expect-error a name is needed
defineJob(import.meta, { *map(line) { yield [line, 1]; } });
// @ts-expect-error the module is needed
defineJob({ name: 'x', *map(line: string) { yield [line, 1]; } });
// @ts-expect-error an unknown option
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, reducer: sum });
// @ts-expect-error partition gives a number
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, partition: (key) => key });
// @ts-expect-error the key of partition is the key of map
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, partition: (key: number, n) => key % n });
// @ts-expect-error rangePartition is called
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, partition: rangePartition });
// @ts-expect-error reducers is a number
defineJob(import.meta, { name: 'x', *map(line) { yield [line, 1]; }, reducers: '4' });
