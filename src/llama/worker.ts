/** Entry of the process in which models run: an abort of the engine ends it, and not the build. */

import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { installLine, type LocalModel, type ModelFile } from '../core/local-engine.ts';
import { loadJinja } from '../teacher-forcing/jinja-template.ts';
import { type Answer, answerChat, answerCompletion, answerGenerate, refusal } from './answer.ts';
import { type Bindings, findBindings, type Llama } from './bindings.ts';
import { type LoadedModel, loadModel } from './engine.ts';
import type { EngineOptions, FromEngine, ToEngine } from './messages.ts';

const tell = (message: FromEngine) => process.send?.(message);

const tellAnswer = (id: number, { status, body }: Answer) =>
  tell({ type: 'answer', id, status, body: JSON.stringify(body) });

interface Opened {
  readonly bindings: Bindings;
  readonly llama: Llama;
  readonly options: EngineOptions;
}

interface Held {
  readonly file: ModelFile;
  readonly loaded: LoadedModel;
}

const underway = new Map<number, AbortController>();
const held = new Map<string, Promise<Held>>();
let opened: Opened | undefined;

async function open(options: EngineOptions): Promise<FromEngine> {
  const found = findBindings(options.root, fileURLToPath(import.meta.url));
  const install = installLine(options.version, process.platform, process.arch);
  if (found.type === 'absent') {
    return { type: 'refused', message: `the local engine is not installed: ${install}` };
  }
  if (found.version !== options.version) {
    const message = `the local engine is of release ${found.version}, and the provider file asks for ${options.version}: write 'engine: ${found.version}' (other keys), or ${install}`;
    return { type: 'refused', message };
  }
  const bindings = await found.load();
  const llama = await bindings.getLlama({
    gpu: options.gpu ? 'auto' : false,
    build: 'never',
    ...(options.threads === null ? {} : { maxThreads: options.threads }),
    logLevel: 'error',
  });
  opened = { bindings, llama, options };
  return { type: 'opened' };
}

/** Loaded by the first call that names it, and once. */
function modelOf(id: string, { path, file }: LocalModel, { llama, options }: Opened): Promise<Held> {
  let loading = held.get(id);
  if (loading === undefined) {
    loading = loadModel(llama, path, options).then((loaded) => ({ file, loaded }));
    held.set(id, loading);
  }
  return loading;
}

/** By the paths of protocols. */
const ROUTES: Readonly<Record<string, typeof answerCompletion>> = {
  '/completions': answerCompletion,
  '/chat/completions': answerChat,
  '/../generate': answerGenerate,
};

async function answer(ask: Extract<ToEngine, { type: 'ask' }>, signal: AbortSignal): Promise<Answer> {
  if (opened === undefined) return refusal(500, 'the local engine is not open');
  const body: unknown = JSON.parse(ask.body);
  const id = isJsonObject(body) ? String(body.model) : '';
  const named = opened.options.models[id];
  if (!isJsonObject(body) || named === undefined) return refusal(404, `the local engine has no model ${id}`);
  let model: Held;
  try {
    model = await modelOf(id, named, opened);
  } catch (error) {
    return refusal(404, `the model file ${named.path} cannot be loaded: ${reasonOf(error)}`, 'model_not_found');
  }
  const options = { ...opened, ...model, seedOf: seedsOf(ask.key, body), signal };
  try {
    return await ROUTES[ask.path]!(body, options);
  } catch (error) {
    return refusal(400, `the local engine: ${reasonOf(error)}`);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Seeds of 32 bits, of the call's key and the step alone. */
function seedsOf(key: string, { seed }: JsonObject): (step: number) => number {
  return (step) =>
    createHash('sha256')
      .update(`${key} ${String(seed ?? '')} ${step}`)
      .digest()
      .readUInt32LE();
}

function list({ models, context }: EngineOptions): Answer {
  const data = Object.entries(models).map(([id, { file }]) => ({
    id,
    object: 'model',
    owned_by: 'local',
    max_model_len: Math.min(context, file.context ?? context),
  }));
  return { status: 200, body: { object: 'list', data } };
}

process.on('message', (message: ToEngine) => {
  switch (message.type) {
    case 'open':
      void loadJinja()
        .then(() => open(message.options))
        .catch((error: unknown): FromEngine => ({ type: 'refused', message: reasonOf(error) }))
        .then(tell);
      return;
    case 'ask': {
      const { id } = message;
      const cancel = new AbortController();
      underway.set(id, cancel);
      void answer(message, cancel.signal)
        .finally(() => underway.delete(id))
        .then((made) => tellAnswer(id, made));
      return;
    }
    case 'list':
      if (opened !== undefined) tellAnswer(message.id, list(opened.options));
      return;
    case 'cancel':
      underway.get(message.id)?.abort();
      return;
  }
});
// An interrupt reaches the whole group, and the build that is interrupted awaits what is under way.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
// Whoever started it is gone.
process.on('disconnect', () => process.exit(0));
