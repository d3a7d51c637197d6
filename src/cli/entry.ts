/** The command's first step: answer at once where nothing has to be loaded, hand over where something has. */

import { BUILD_DIGEST, VERSION } from './build-info.ts';
import { remembered } from './fast-path.ts';

const args = process.argv.slice(2);
const known =
  args[0] === 'build' ? remembered(BUILD_DIGEST, args) : args[0] === '--version' ? `${VERSION}\n` : undefined;
if (known === undefined) {
  const { main } = await import('./main.ts');
  process.exitCode = await main(args, new URL('.', import.meta.url));
} else {
  process.stdout.write(known);
}
