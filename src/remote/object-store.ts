/** What a shared cache needs of a bucket or a folder. */

export interface ListedObject {
  /** Below the prefix of the cache, such as `index/…`. */
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

/** Something stands under the name that cannot be read as an object, and why. */
export interface Unreadable {
  readonly unreadable: string;
}

/**
 * Every method throws a ProblemError (CJE-REMOTE…) where the place cannot be reached or does not let us in.
 */
export interface ObjectStore {
  /** The place as people know it; holds no secret. */
  readonly place: string;
  /** The objects whose names begin with the prefix, which ends in `/`. */
  list(prefix: string): Promise<readonly ListedObject[]>;
  /** The whole object; undefined where there is none. One that is longer is not read to its end, but told as cut. */
  get(name: string, longest: number): Promise<Buffer | Unreadable | undefined>;
  /** Writes an object as a whole or not at all, and never over one that is there. */
  putIfAbsent(name: string, bytes: Buffer): Promise<'stored' | 'there'>;
  /** Removes an object; one that is not there is no mistake. */
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}
