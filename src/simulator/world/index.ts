/** The simulated world: everything its replies depend on, and nothing of the server that carries them. */

export { answer, modelList } from './answer.ts';
export { chanceOf } from './chance.ts';
export { DEFAULT_WORLD, type WorldConfig } from './config.ts';
export { MODELS } from './policy.ts';
export { errorReply, type Reply } from './reply.ts';
export { policyValue } from './truth.ts';
export { worldIdentity } from './version.ts';
export { createWorld, type World } from './world.ts';
