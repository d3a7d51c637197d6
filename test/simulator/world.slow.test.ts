import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { worldConfigText } from '../../src/simulator/world/config.ts';
import { chanceOf, createWorld, DEFAULT_WORLD, policyValue } from '../../src/simulator/world/index.ts';
import { expectedLabel, qualityOf } from '../../src/simulator/world/judge.ts';
import { BASE_MODEL, LARGE_MODEL, leaningOf, levelLaw } from '../../src/simulator/world/policy.ts';
import { taskOf } from '../../src/simulator/world/prompt.ts';
import { SIMULATED_PROMPTS, simulatedPrompts } from '../../src/simulator/world/prompts.ts';
import { sentencesIn } from '../../src/simulator/world/reading.ts';
import type { LevelLaw, Point } from '../../src/simulator/world/sentence-model.ts';
import { ALL_SENTENCES, firstWordOf, TOPICS } from '../../src/simulator/world/sentences.ts';
import { tokenizerOf } from '../../src/simulator/world/tokenizer.ts';
import { type SimulatedPolicy, totalLevelLaw } from '../../src/simulator/world/truth.ts';
import { anyText } from '../helpers/any-text.ts';

const world = createWorld();

const POLICIES = {
  p0: { model: BASE_MODEL, system: null },
  pi_clone: { model: BASE_MODEL, system: null },
  pi_cot: { model: BASE_MODEL, system: 'Think step-by-step before providing your answer.' },
  pi_bigger_model: { model: LARGE_MODEL, system: null },
  pi_bad: { model: BASE_MODEL, system: 'You are an unhelpful assistant that confuses the user and wastes their time.' },
} satisfies Record<string, SimulatedPolicy>;

const lawOf = ({ model, system }: SimulatedPolicy, prompt: string, temperature = 1) =>
  world.law(model, system, prompt, { temperature, topP: 1 });

describe('sentences', () => {
  it('are told apart by their first words', () => {
    expect(ALL_SENTENCES).toHaveLength(128);
    expect(new Set(ALL_SENTENCES.map(({ text }) => firstWordOf(text))).size).toBe(128);
  });

  it('have traits that average their level, so equal weights see quality alone', () => {
    for (const { traits, level } of ALL_SENTENCES) {
      expect(traits.reduce((sum, trait) => sum + trait, 0) / 4).toBe(level);
      for (const trait of traits) expect(trait).toSatisfy((value: number) => value >= 0 && value <= 3);
    }
    const total = [0, 1, 2, 3].map((trait) => ALL_SENTENCES.reduce((sum, { traits }) => sum + traits[trait]!, 0));
    expect(new Set(total).size).toBe(1);
  });

  it('are found again in any text, the last one cut short too', () => {
    const [first, second] = [ALL_SENTENCES[0]!, ALL_SENTENCES[77]!];
    const text = `Rubric. ${first.text} So: "${second.text}" ${first.text.slice(0, 20)}`;
    expect(sentencesIn(text)).toEqual([first, second, first]);
    expect(sentencesIn(`\n${second.text}\n\n${first.text}`)).toEqual([second, first]);
    expect(sentencesIn('Whatever you like. Bananas!')).toEqual([]);
  });
});

describe('the tokenizer', () => {
  it('gives back every text', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        const ids = world.tokenizer.encode(text);
        expect(world.tokenizer.decode(ids)).toBe(text);
      }),
    );
  });

  it('takes the longest match: words with their space, runs of newlines, control tokens', () => {
    const shown = (text: string) => world.tokenizer.encode(text).map((id) => world.tokenizer.show(id));
    expect(shown('Whatever, the question 🙂')).toEqual([
      'Whatever,',
      ' the',
      ' question',
      ' ',
      '\ufffd',
      '\ufffd',
      '\ufffd',
      '\ufffd',
    ]);
    expect(shown('x\n\n\n')).toEqual(['x', '\n\n\n']);
    expect(shown('<|header_start|>assistant<|header_end|>\n\n\n')).toEqual([
      '<|header_start|>assistant<|header_end|>\n\n',
      '\n',
    ]);
    const merging = tokenizerOf({ mergeTemplateNewlines: true });
    expect(merging.encode('<|header_end|>\n\n\n').map((id) => merging.show(id))).toEqual(['<|header_end|>', '\n\n\n']);
  });

  it('does not know an id out of its vocabulary', () => {
    expect(world.tokenizer.decode([world.tokenizer.size])).toBeUndefined();
    expect(world.tokenizer.decode([-1])).toBeUndefined();
  });
});

describe('the language', () => {
  const prompts = simulatedPrompts(40, 1).map(({ prompt }) => prompt);

  /** Every kind of point that a response passes. */
  function* pointsOf(law: LevelLaw, response: string): Iterable<Point> {
    let point: Point = { at: 'start', led: false };
    for (const token of world.tokenizer.encode(response)) {
      yield point;
      point = world.speech.after(point, token, law);
    }
    expect(point).toEqual({ at: 'end' });
  }

  it('has next-token probabilities that sum to one at every point', () => {
    for (const prompt of prompts) {
      const law = lawOf(POLICIES.pi_cot, prompt);
      for (const point of pointsOf(law, world.respond(law, chanceOf(prompt)))) {
        const total = world.speech
          .support(point, law)
          .reduce((sum, token) => sum + world.speech.probability(point, token, law), 0);
        expect(total).toBeCloseTo(1, 12);
      }
    }
  });

  it('has scored probabilities that sum to one over the vocabulary', () => {
    const law = lawOf(POLICIES.p0, 'Hi');
    const points: Point[] = [
      { at: 'start', led: false },
      { at: 'start', led: true },
      { at: 'between', sentence: 2, spaced: true },
      { at: 'paragraph', sentence: 4 },
    ];
    for (const point of points) {
      let total = 0;
      for (let token = 0; token < world.tokenizer.size; token++) {
        total += Math.exp(world.speech.logProbabilities([token], law, point)[0]!);
      }
      expect(total).toBeCloseTo(1, 10);
    }
  });

  it('scores a response with the probability of generating it', () => {
    for (const prompt of prompts) {
      const law = lawOf(POLICIES.p0, prompt);
      const response = world.respond(law, chanceOf(`generate ${prompt}`));
      const found = sentencesIn(response);
      expect(found).toHaveLength(law.task.sentences);
      const opening = Math.log(response.startsWith('\n') ? 0.11 : 0.89);
      const exact = found.reduce((sum, { level }) => sum + Math.log(law.levels[level]! / 8), opening);
      expect(world.logProbability(law, response)).toBeCloseTo(exact, 3);
      expect(Math.abs(world.logProbability(law, response) - exact)).toBeLessThan(2e-4);
    }
  });

  it('gives other text the floor', () => {
    const law = lawOf(POLICIES.p0, 'Hi');
    const floor = Math.log(1e-6 / world.tokenizer.size);
    expect(world.logProbability(law, 'xyz')).toBeCloseTo(2 * floor, 9);
    const otherTopic = ALL_SENTENCES.find(({ topic }) => topic !== law.task.topic)!;
    const scores = world.speech.logProbabilities(world.tokenizer.encode(otherTopic.text), law);
    for (const score of scores) expect(score).toBeCloseTo(floor, 9);
  });

  it('draws openings, levels and variants as often as their probabilities say', () => {
    const n = 20_000;
    const law = lawOf(POLICIES.pi_cot, 'What is the difference between OpenCL and CUDA?');
    const chance = chanceOf('frequencies');
    let led = 0;
    let sentences = 0;
    const levels = [0, 0, 0, 0];
    const texts = new Map<string, number>();
    for (let draw = 0; draw < n; draw++) {
      const response = world.respond(law, chance);
      if (response.startsWith('\n')) led += 1;
      for (const { level, text } of sentencesIn(response)) {
        sentences += 1;
        levels[level]! += 1;
        texts.set(text, (texts.get(text) ?? 0) + 1);
      }
    }
    const within = (count: number, of: number, p: number) =>
      expect(Math.abs(count / of - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / of));
    within(led, n, 0.11);
    for (const [level, count] of levels.entries()) within(count, sentences, law.levels[level]!);
    expect(texts.size).toBe(32);
    for (const [text, count] of texts) within(count, sentences, law.levels[sentencesIn(text)[0]!.level]! / 8);
  });

  it('follows temperature and top_p', () => {
    const law = (temperature: number, topP: number) =>
      levelLaw(0.3, { difficulty: 0 }, DEFAULT_WORLD, { temperature, topP });
    expect(law(0, 1)).toEqual([0, 0, 0, 1]);
    expect(law(0.5, 1)[3]! / law(0.5, 1)[2]!).toBeCloseTo(Math.exp(0.6), 10);
    expect(law(1, 0.5).slice(0, 2)).toEqual([0, 0]);
    // The likeliest level holds exactly as much as is to be held: it alone is kept.
    const most = Math.max(...law(1, 1));
    expect([law(1, most), law(1, most + 1e-9)].map((kept) => kept.filter((p) => p > 0).length)).toEqual([1, 2]);
    expect(law(1, 0.5).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
  });
});

describe('policies', () => {
  it('lean as their system text and size have it', () => {
    const leaning = (system: string | null, model = BASE_MODEL) => leaningOf(model, system, DEFAULT_WORLD);
    expect(leaning(null)).toBe(0.3);
    expect(leaning('Think step by step.')).toBeCloseTo(0.7, 12);
    expect(leaning(null, LARGE_MODEL)).toBeCloseTo(0.85, 12);
    expect(leaning('Waste their time.')).toBe(-1.6);
    expect(leaning('Be kind.')).not.toBe(leaning('Be brief.'));
    expect(Math.abs(leaning('Be kind.') - 0.3)).toBeLessThanOrEqual(0.05);
    expect(leaningOf(BASE_MODEL, null, DEFAULT_WORLD, { templated: false })).not.toBe(0.3);
  });

  it('overlap with P0 as worlds apart: effective sample sizes at n = 1,000', () => {
    const n = 1000;
    const seeds = 5;
    const prompts = simulatedPrompts(n, 7).map(({ prompt }) => prompt);
    const logged = Array.from({ length: seeds }, (_, seed) =>
      prompts.map((prompt) => {
        const law = lawOf(POLICIES.p0, prompt);
        const response = world.respond(law, chanceOf(`${seed}/${prompt}`));
        return { prompt, response, logprob: world.logProbability(law, response) };
      }),
    );
    const share = (target: SimulatedPolicy) => {
      const shares = logged.map((rows) => {
        let sum = 0;
        let squares = 0;
        for (const { prompt, response, logprob } of rows) {
          const weight = Math.exp(world.logProbability(lawOf(target, prompt), response) - logprob);
          sum += weight;
          squares += weight * weight;
        }
        return (sum * sum) / squares / n;
      });
      return shares.sort((a, b) => a - b)[Math.floor(seeds / 2)]!;
    };
    expect(share(POLICIES.pi_clone)).toBeCloseTo(1, 12);
    expect(share(POLICIES.pi_cot)).toBeGreaterThan(0.2);
    expect(share(POLICIES.pi_cot)).toBeLessThan(0.36);
    expect(share(POLICIES.pi_bigger_model)).toBeGreaterThan(0.06);
    expect(share(POLICIES.pi_bigger_model)).toBeLessThan(0.19);
    expect(share(POLICIES.pi_bad)).toBeLessThan(0.02);
  });
});

describe('tasks', () => {
  it('are of the text, not of the space around it', () => {
    expect(taskOf(' Hi\n', DEFAULT_WORLD)).toEqual(taskOf('Hi', DEFAULT_WORLD));
  });

  it('are spread evenly over prompts', () => {
    const prompts = simulatedPrompts(10_000, 3);
    const counts = { topic: [0, 0, 0, 0], difficulty: [0, 0, 0, 0, 0], length: [0, 0, 0, 0, 0] };
    for (const { prompt } of prompts) {
      const { topic, difficulty, sentences } = taskOf(prompt, DEFAULT_WORLD);
      counts.topic[topic]! += 1;
      counts.difficulty[difficulty]! += 1;
      counts.length[sentences - 6]! += 1;
    }
    const chiSquare = (list: number[]) =>
      list.reduce((sum, count) => sum + (count - 10_000 / list.length) ** 2 / (10_000 / list.length), 0);
    expect(counts.topic).toHaveLength(TOPICS);
    // 99.9 % points at 3 and 4 degrees of freedom.
    expect(chiSquare(counts.topic)).toBeLessThan(16.3);
    expect(chiSquare(counts.difficulty)).toBeLessThan(18.5);
    expect(chiSquare(counts.length)).toBeLessThan(18.5);
  });

  it('come from prompts that are all different, the same for the same seed, more of them beginning with fewer', () => {
    const many = simulatedPrompts(5000, 42);
    expect(new Set(many.map(({ prompt }) => prompt)).size).toBe(5000);
    expect(simulatedPrompts(200, 42)).toEqual(many.slice(0, 200));
    expect(simulatedPrompts(200, 43)).not.toEqual(many.slice(0, 200));
    expect(many.every(({ prompt }) => !/[{}]/.test(prompt))).toBe(true);
    expect(() => simulatedPrompts(SIMULATED_PROMPTS + 1, 1)).toThrow(RangeError);
  });
});

describe('truth', () => {
  /** Mean label, without its noise, of drawn responses. */
  function monteCarlo(policy: SimulatedPolicy, prompts: readonly string[], draws: number, temperature = 1) {
    let sum = 0;
    let squares = 0;
    const chance = chanceOf(`monte carlo ${policy.model} ${policy.system} ${temperature}`);
    for (const prompt of prompts) {
      const law = lawOf(policy, prompt, temperature);
      for (let draw = 0; draw < draws; draw++) {
        const levels = sentencesIn(world.respond(law, chance)).map(({ level }) => level);
        const value = expectedLabel(qualityOf(levels), DEFAULT_WORLD);
        sum += value;
        squares += value * value;
      }
    }
    const n = prompts.length * draws;
    return { mean: sum / n, error: Math.sqrt((squares / n - (sum / n) ** 2) / n) };
  }

  it.each(Object.entries(POLICIES))('%s: what drawn responses average to, over given prompts', (_, policy) => {
    const prompts = simulatedPrompts(100, 11).map(({ prompt }) => prompt);
    const { mean, error } = monteCarlo(policy, prompts, 40);
    expect(Math.abs(mean - policyValue(policy, prompts))).toBeLessThan(4 * error);
  });

  it('is over the law of prompts without any', () => {
    const prompts = simulatedPrompts(3000, 12).map(({ prompt }) => prompt);
    const { mean, error } = monteCarlo(POLICIES.pi_cot, prompts, 2);
    expect(Math.abs(mean - policyValue(POLICIES.pi_cot))).toBeLessThan(4 * error);
  });

  it('is of the temperature at which the policy speaks', () => {
    const prompts = simulatedPrompts(100, 13).map(({ prompt }) => prompt);
    const { mean, error } = monteCarlo(POLICIES.p0, prompts, 40, 0.5);
    expect(Math.abs(mean - policyValue({ ...POLICIES.p0, temperature: 0.5 }, prompts))).toBeLessThan(4 * error);
    expect(policyValue({ ...POLICIES.p0, temperature: 0.5 }, prompts)).toBeGreaterThan(
      policyValue(POLICIES.p0, prompts),
    );
  });

  it('ranks the policies with room between them', () => {
    const value = (policy: SimulatedPolicy) => policyValue(policy);
    expect(value(POLICIES.pi_bad)).toBeLessThan(value(POLICIES.p0) - 0.1);
    expect(value(POLICIES.p0)).toBe(value(POLICIES.pi_clone));
    expect(value(POLICIES.pi_cot)).toBeGreaterThan(value(POLICIES.p0) + 0.05);
    expect(value(POLICIES.pi_bigger_model)).toBeGreaterThan(value(POLICIES.pi_cot) + 0.01);
  });

  it('adds levels by convolution', () => {
    const law = totalLevelLaw([0.1, 0.2, 0.3, 0.4], 2);
    expect(law).toHaveLength(7);
    expect(law[0]).toBeCloseTo(0.01, 12);
    expect(law[3]).toBeCloseTo(2 * (0.1 * 0.4 + 0.2 * 0.3), 12);
    expect(law.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
  });
});

describe('the configuration', () => {
  it('has one text, whatever the order of its keys', () => {
    const { label, ...rest } = DEFAULT_WORLD;
    expect(worldConfigText({ label, ...rest })).toBe(worldConfigText(DEFAULT_WORLD));
    expect(worldConfigText({ ...DEFAULT_WORLD, difficultyStep: 0.2 })).not.toBe(worldConfigText(DEFAULT_WORLD));
  });
});
