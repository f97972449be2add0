/** A queue that a test can wait on: values as they come, in order. */
export class Arrivals<T> {
  readonly #values: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  push(value: T): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(value);
    else this.#values.push(value);
  }

  next(): Promise<T> {
    const value = this.#values.shift();
    return value !== undefined
      ? Promise.resolve(value)
      : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
