/** As much of node-llama-cpp as is used here, and where it is found: it is the user's to install. */

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ENGINE, ENGINE_FOLDER } from '../core/local-engine.ts';

/** Applied before numbers are given, so each must be said: none may keep its default. */
export interface Sampling {
  readonly temperature: number;
  readonly topP: number;
  readonly topK: 0;
  readonly minP: 0;
  readonly seed?: number;
}

interface GenerateNext {
  /** `includeTop: 1` is the greatest logit; `includeMax` adds nothing in 3.22. */
  readonly logits?: {
    readonly filter: {
      readonly tokens: readonly number[];
      readonly includeTop: number;
      readonly includeSelected?: boolean;
    };
  };
  /** Σ exp(logit − greatest). */
  readonly totalLogitWeight?: boolean;
  readonly token?: boolean;
  readonly options: Sampling;
}

export type EvaluatedItem = number | readonly [token: number, options: { readonly generateNext: GenerateNext }];

/** What follows a token. */
export interface Next {
  readonly token?: number | null;
  readonly logits?: ReadonlyMap<number, number>;
  readonly totalLogitWeight?: number;
}

export interface LlamaSequence {
  clearHistory(): Promise<void>;
  controlledEvaluate(items: readonly EvaluatedItem[]): Promise<readonly ({ readonly next: Next } | undefined)[]>;
  evaluate(
    tokens: readonly number[],
    options: Sampling & { readonly grammarEvaluationState: unknown },
  ): AsyncGenerator<number, void, unknown>;
}

export interface LlamaModel {
  readonly trainContextSize: number;
  readonly tokens: { readonly bos: number | null };
  tokenize(text: string, specialTokens: boolean): readonly number[];
  detokenize(tokens: readonly number[], specialTokens: boolean, lastTokens?: readonly number[]): string;
  isEogToken(token: number): boolean;
  createContext(options: {
    readonly contextSize: number;
    readonly sequences: number;
    readonly flashAttention: false;
  }): Promise<{ readonly contextSize: number; getSequence(): LlamaSequence }>;
}

export interface Llama {
  loadModel(options: { readonly modelPath: string; readonly gpuLayers?: 0 }): Promise<LlamaModel>;
  createGrammar(options: { readonly grammar: string }): Promise<unknown>;
}

export interface Bindings {
  getLlama(options: {
    readonly gpu: false | 'auto';
    readonly build: 'never';
    readonly maxThreads?: number;
    readonly logLevel: 'error';
  }): Promise<Llama>;
  readonly LlamaGrammarEvaluationState: new (options: {
    readonly model: LlamaModel;
    readonly grammar: unknown;
  }) => unknown;
}

type FoundBindings =
  | { readonly type: 'found'; readonly version: string; load(): Promise<Bindings> }
  | { readonly type: 'absent' };

/** Looks in `.engine` beside the pipeline, then where the pipeline's folder and the command find their packages. */
export function findBindings(root: string, command: string): FoundBindings {
  for (const folder of [join(root, ENGINE_FOLDER), root, dirname(command)]) {
    const manifest = manifestFrom(folder);
    if (manifest === undefined) continue;
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string };
    const entry = pathToFileURL(join(dirname(manifest), 'dist', 'index.js')).href;
    return {
      type: 'found',
      version,
      load: async () => {
        const loaded: Bindings = await import(entry);
        return loaded;
      },
    };
  }
  return { type: 'absent' };
}

function manifestFrom(folder: string): string | undefined {
  const { resolve } = createRequire(join(folder, 'package.json'));
  const places = resolve.paths(ENGINE.name) ?? [];
  return places.map((place) => join(place, ENGINE.name, 'package.json')).find((path) => existsSync(path));
}
