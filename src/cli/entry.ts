/** The command's first step: answer at once where nothing has to be loaded, hand over where something has. */

import { BUILD_DIGEST, VERSION } from './build-info.ts';
import { remembered } from './fast-path.ts';

// A reader that has seen enough (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const args = process.argv.slice(2);
const known =
  args[0] === 'build' ? remembered(BUILD_DIGEST, args) : args[0] === '--version' ? `${VERSION}\n` : undefined;
if (known === undefined) {
  const { main } = await import('./main.ts');
  process.exitCode = await main(args, new URL('.', import.meta.url));
} else {
  process.stdout.write(known);
}
