// node bench/plan/run.mjs [PROMPTS] [ROUNDS]: `cje plan` after an edit of the judge's prompt.
import { arena } from '../lib/arena.mjs';
import { reportItems } from '../lib/items.mjs';

const prompts = Number(process.argv[2] ?? 10_000);
const scores = 'scores/deterministic/*';
reportItems({
  folder: arena(prompts),
  what: 'plan after an edit of the judge prompt',
  items: 5 * prompts,
  bound: 20,
  idle: ['plan', scores],
  busy: ['plan', '-f', 'edited.yaml', scores],
  rounds: Number(process.argv[3] ?? 5),
});
