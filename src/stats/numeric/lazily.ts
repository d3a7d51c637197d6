/** Values made once and kept by name. A name always stands for one kind of value. */
export class Memory {
  readonly #made = new Map<string, unknown>();

  /** The value of this name, made at the first call. */
  once<T>(name: string, make: () => T): T {
    if (!this.#made.has(name)) this.#made.set(name, make());
    return this.#made.get(name) as T;
  }
}

/** A value made at the first call and remembered. */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
