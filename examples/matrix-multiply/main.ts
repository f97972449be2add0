/**
 * Multiplies two matrices, given by their entries, in two jobs, the second on the output of the first:
 *
 *     node examples/matrix-multiply/main.ts examples/data/matrices.txt .millrace/matrix
 */
import { join } from 'node:path';
import { run } from 'millrace';
import add from './add.ts';
import multiply from './multiply.ts';

/** Runs both jobs here; leaves the products in OUTPUT/products and the matrix A * B in OUTPUT/sums. */
export async function multiplyMatrices(input: string, output: string): Promise<void> {
  const products = join(output, 'products');
  await run(multiply, { input, output: products, ifExists: 'replace' });
  await run(add, { input: join(products, 'part-r-*'), output: join(output, 'sums'), ifExists: 'replace' });
}

if (import.meta.main) {
  const [input, output] = process.argv.slice(2);
  if (!input || !output) throw new Error('usage: node examples/matrix-multiply/main.ts INPUT OUTPUT');
  await multiplyMatrices(input, output);
}
