/** Prompts that people might have typed, all different; each one's task is by its hash, so they are i.i.d. draws of it. */

import { chanceOf, pick } from './chance.ts';

const REQUESTS = [
  'What is the difference between {a} and {b}?',
  'How do I explain {a} to a ten-year-old?',
  'Write a short story about {a} and {b}.',
  'Give me three reasons to care about {a}.',
  'Is {a} better than {b} for a beginner?',
  'Summarise the history of {a} in one paragraph.',
  'Why does {a} matter when there is already {b}?',
  'Plan a weekend around {a}.',
  'What are common mistakes people make with {a}?',
  'Write a python function that simulates {a}.',
  'Make a table comparing {a} with {b}.',
  'How much does {a} cost, roughly, compared with {b}?',
  'Tell me a joke about {a}.',
  'What would happen if {a} disappeared tomorrow?',
  'Draft an email asking my boss about {a}.',
  'Can {a} and {b} be used together?',
  'List ten questions an expert in {a} would ask.',
  'Which book about {a} should I read first, and which one about {b}?',
  'Explain {a} using only words about {b}.',
  'How can I teach myself {a} in a month?',
  'Who invented {a}?',
  'Translate "I love {a}" into French, Spanish and German.',
  'Write a poem in which {a} meets {b}.',
  'What should a contract about {a} contain?',
] as const;

const SUBJECTS = [
  'sourdough bread',
  'quantum mechanics',
  'solar panels',
  'linear regression',
  'the Roman senate',
  'electric bicycles',
  'jazz piano',
  'tax returns',
  'black holes',
  'house plants',
  'chess openings',
  'the French Revolution',
  'vaccines',
  'table tennis',
  'neural networks',
  'coffee roasting',
  'marathon training',
  'medieval castles',
  'SQL joins',
  'haiku',
  'ocean currents',
  'board games',
  'wedding speeches',
  'bitcoin',
  'sign language',
  'public libraries',
  'photography at night',
  'graph theory',
  'olive oil',
  'volcanoes',
  'job interviews',
  'paper aeroplanes',
  'the stock market',
  'beekeeping',
  'regular expressions',
  'sleep',
  'opera',
  'knitting',
  'climate models',
  'street food',
] as const;

const ENDINGS = [
  '',
  ' Keep it short.',
  ' I have about an hour.',
  ' Please be specific.',
  ' Use simple words.',
  ' Explain your reasoning.',
  ' Answer in bullet points.',
  ' I already know the basics.',
  '\n\nMy teacher wants one page.',
  ' thanks!',
  ' No more than 100 words.',
  ' I live in a small town, if that matters.',
] as const;

/** How many different prompts there are. */
export const SIMULATED_PROMPTS = REQUESTS.reduce(
  (sum, request) => sum + SUBJECTS.length * (request.includes('{b}') ? SUBJECTS.length - 1 : 1) * ENDINGS.length,
  0,
);

interface SimulatedPrompt {
  readonly prompt_id: string;
  readonly prompt: string;
}

/**
 * The first `count` prompts of a seed; more of the same seed begin with these.
 *
 * @throws RangeError on more than {@link SIMULATED_PROMPTS}
 */
export function simulatedPrompts(count: number, seed: number): SimulatedPrompt[] {
  if (count > SIMULATED_PROMPTS) {
    throw new RangeError(`there are ${SIMULATED_PROMPTS} simulated prompts, ${count} were asked for`);
  }
  const chance = chanceOf(`prompts\n${seed}`);
  const seen = new Set<string>();
  while (seen.size < count) {
    const request = REQUESTS[pick(chance, REQUESTS.length)]!;
    const first = pick(chance, SUBJECTS.length);
    const second = (first + 1 + pick(chance, SUBJECTS.length - 1)) % SUBJECTS.length;
    seen.add(
      request.replace('{a}', SUBJECTS[first]!).replace('{b}', SUBJECTS[second]!) +
        ENDINGS[pick(chance, ENDINGS.length)]!,
    );
  }
  return Array.from(seen, (prompt, index) => ({ prompt_id: `sim_${index}`, prompt }));
}
