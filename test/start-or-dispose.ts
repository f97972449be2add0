/** Resolves with `resource` once `start` has. When that fails, what was started of it is disposed of first. */
export async function startOrDispose<T extends AsyncDisposable>(
  resource: T,
  start: (resource: T) => Promise<void>,
): Promise<T> {
  try {
    await start(resource);
    return resource;
  } catch (error) {
    await resource[Symbol.asyncDispose]();
    throw error;
  }
}
