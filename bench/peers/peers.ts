/** All other systems that benchmarks know, in the order of tables. */
import { dask } from './dask.ts';
import { duckdb } from './duckdb.ts';
import { gnu } from './gnu.ts';
import { hadoop } from './hadoop.ts';
import { mawk } from './mawk.ts';
import type { Peer } from './peer.ts';
import { plain } from './plain.ts';
import { polars } from './polars.ts';
import { pyspark, pysparkCluster, spark, sparkCluster } from './spark.ts';

export const peers: readonly Peer[] = [
  plain,
  gnu,
  mawk,
  duckdb,
  polars,
  spark,
  sparkCluster,
  pyspark,
  pysparkCluster,
  hadoop,
  dask,
];
