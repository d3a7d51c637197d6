// What two builds have written for people, byte for byte.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Every file below `out/` with its bytes. */
function outputsOf(folder) {
  const out = join(folder, 'out');
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(out, path)).isFile(),
  );
  return new Map(files.sort().map((path) => [path, readFileSync(join(out, path))]));
}

export function sameOutputs(folder, other) {
  const [ours, theirs] = [outputsOf(folder), outputsOf(other)];
  return ours.size === theirs.size && [...ours].every(([path, bytes]) => theirs.get(path)?.equals(bytes));
}
