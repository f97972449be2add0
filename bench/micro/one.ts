/** One micro benchmark in a process of its own, whose rates it sends to the runner. */
import { microBenchmarks } from './benchmarks.ts';

const name: unknown = JSON.parse(process.argv[2] ?? '');
const benchmark = microBenchmarks.get(String(name));
if (!benchmark) throw new Error(`there is no ${name}`);
process.send?.(await benchmark.run());
