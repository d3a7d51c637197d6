/** What a build and its engine's process say to each other. */

import type { LocalModels } from '../core/local-engine.ts';

export interface EngineOptions {
  /** The folder of pipeline.yaml. */
  readonly root: string;
  /** The release that is asked for: another one is another engine. */
  readonly version: string;
  readonly models: LocalModels;
  /** Tokens that a context holds, unless the model was trained for fewer. */
  readonly context: number;
  /** Texts that are evaluated at once. */
  readonly sequences: number;
  readonly threads: number | null;
  readonly gpu: boolean;
}

export type ToEngine =
  | { readonly type: 'open'; readonly options: EngineOptions }
  | { readonly type: 'ask'; readonly id: number; readonly path: string; readonly body: string; readonly key: string }
  | { readonly type: 'list'; readonly id: number }
  | { readonly type: 'cancel'; readonly id: number };

export type FromEngine =
  | { readonly type: 'opened' }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'answer'; readonly id: number; readonly status: number; readonly body: string };
