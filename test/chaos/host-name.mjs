/**
 * Preloaded into the programs of a test (`--import`): each is on a host of its own, named by TEST_NODE. On one host a coordinator sees that
 * the process of another one is gone, and need not wait for its lease; between hosts it cannot.
 */
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

const name = process.env.TEST_NODE;
if (name !== undefined) {
  os.hostname = () => name;
  syncBuiltinESMExports();
}
