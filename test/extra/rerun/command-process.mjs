// A process that runs one `cje` command after another: the bundled entry from its first line, without the start of a
// process each time. Told of commands by its parent, it tells what they printed and how they ended.
import { pathToFileURL } from 'node:url';

let runs = 0;
const streams = [process.stdout, process.stderr];
// The entry listens for errors of the output, once a run.
for (const stream of streams) stream.setMaxListeners(0);

process.on('message', async ({ folder, command, args }) => {
  const printed = ['', ''];
  const write = streams.map((stream) => stream.write);
  for (const [index, stream] of streams.entries()) {
    stream.write = (chunk) => {
      printed[index] += chunk;
      return true;
    };
  }
  process.chdir(folder);
  process.argv = [process.execPath, command, ...args];
  process.exitCode = undefined;
  try {
    await import(`${pathToFileURL(command)}?run=${runs++}`);
  } catch (error) {
    printed[1] += error instanceof Error ? error.stack : String(error);
    process.exitCode = 1;
  }
  for (const [index, stream] of streams.entries()) stream.write = write[index];
  process.send({ exit: process.exitCode ?? 0, stdout: printed[0], stderr: printed[1] });
  process.exitCode = undefined;
});
process.on('disconnect', () => process.exit());
