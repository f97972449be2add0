/** All other systems that benchmarks know, in the order of tables. */
import { duckdb } from './duckdb.ts';
import { gnu } from './gnu.ts';
import { mawk } from './mawk.ts';
import type { Peer } from './peer.ts';
import { plain } from './plain.ts';
import { polars } from './polars.ts';

export const peers: readonly Peer[] = [plain, gnu, mawk, duckdb, polars];
