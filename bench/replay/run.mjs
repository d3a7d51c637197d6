// node bench/replay/run.mjs [PROMPTS] [ROUNDS]: a judge's nodes made again from stored replies, as after an edit of the
// code that reads them.
import { arena } from '../lib/arena.mjs';
import { reportItems } from '../lib/items.mjs';

const prompts = Number(process.argv[2] ?? 10_000);
const scores = 'scores/deterministic/*';
reportItems({
  folder: arena(prompts),
  what: 'rebuild from stored replies',
  items: 5 * prompts,
  bound: 40,
  idle: ['build', scores],
  busy: ['build', scores, '--force', scores],
  rounds: Number(process.argv[3] ?? 5),
});
