/** The simulated world: everything its replies depend on, and nothing of the server that carries them. */

export { answer, modelList } from './answer.ts';
export { type Chance, chanceOf, normal, pick } from './chance.ts';
export { DEFAULT_WORLD, type WorldConfig, worldConfigText } from './config.ts';
export { bendOf, expectedLabel, type Judgement, judge, label, qualityOf, traitWeights } from './judge.ts';
export { BASE_MODEL, LARGE_MODEL, leaningOf, levelLaw, MODELS, ORACLE_MODEL, type Sampling } from './policy.ts';
export { readPrompt, type Task, taskOf } from './prompt.ts';
export { SIMULATED_PROMPTS, type SimulatedPrompt, simulatedPrompts } from './prompts.ts';
export { readJudged, sentencesIn } from './reading.ts';
export { errorReply, type Reply } from './reply.ts';
export type { LevelLaw, Point, SentenceModel } from './sentence-model.ts';
export { policyValue, type SimulatedPolicy, totalLevelLaw } from './truth.ts';
export { worldIdentity } from './version.ts';
export { createWorld, type World } from './world.ts';
