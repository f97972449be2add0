/** The package `millrace/testing`: for the tests of people who write jobs. Pure JavaScript, downloads nothing. */

export { type CombinerSample, checkCombiner } from './testing/check-combiner.ts';
export { type InlineOptions, type InlineResult, runInline } from './testing/run-inline.ts';
export { createTestCluster, type TestCluster, type TestClusterOptions } from './testing/test-cluster.ts';
