/** Names of nodes in tables. */

/** The folder that all names share, to be said once in a table's head, and the names without it. */
export function sharedFolder(names: readonly string[]): {
  readonly head: string;
  readonly short: (name: string) => string;
} {
  const folders = new Set(names.map((name) => name.slice(0, name.lastIndexOf('/') + 1)));
  const [folder = ''] = folders.size === 1 ? folders : [];
  return { head: folder === '' ? 'node' : `${folder}*`, short: (name) => name.slice(folder.length) };
}
