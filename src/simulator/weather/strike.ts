/** What a fault is made of: a pure function from the right answer to what goes out instead, and how that leaves. */

import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { errorReply, type Reply } from '../world/index.ts';
import { type Form, type FormName, formOf } from './form.ts';

/** How an answer leaves, where that is not whole and at once. */
export interface Passage {
  /** `cut`: half of the body, then the connection is reset. `reset`: before a byte. `hang`: never. */
  readonly manner?: 'cut' | 'reset' | 'hang';
  /** The reply is held back, or its bytes are spread over the time. */
  readonly waitMilliseconds?: number;
  readonly spreadMilliseconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text in place of the body's JSON. */
  readonly text?: string;
  readonly gzip?: true;
  /** Interim responses before the reply. */
  readonly interim?: readonly (100 | 103)[];
}

export interface Weather {
  readonly reply: Reply;
  readonly passage: Passage;
}

/** What a fault sees. */
export interface Scene {
  readonly form: FormName;
  readonly asked: JsonObject;
  /** The right answer. */
  readonly reply: Reply;
  /** The credential as it came; '' without one. */
  readonly credential: string;
  readonly settings: Settings;
}

/** A fault's own settings, as its entry in the file has them. */
export interface Settings {
  readonly name?: string;
  readonly names?: readonly string[];
  readonly retry_after_seconds?: number;
  readonly milliseconds?: number;
  readonly location?: string;
  readonly factor?: number;
  readonly as?: 'plain' | 'escaped' | 'base64' | 'percent';
}

type Needs = keyof Settings;

export interface Mishap {
  readonly group: Group;
  readonly about: string;
  readonly settings?: readonly Needs[];
  /** Whether it can happen to this request at all; by default to any. */
  fits?(scene: Scene): boolean;
  strike(scene: Scene): Partial<Weather>;
}

type Group = 'no answer' | 'judge' | 'usage' | 'model' | 'refusal' | 'connection' | 'secret';

/** Another body for an answer. */
export const altered =
  (change: (body: JsonObject, form: Form, scene: Scene) => JsonObject) =>
  (scene: Scene): Partial<Weather> => {
    const { reply, form } = scene;
    if (reply.status !== 200 || !isJsonObject(reply.body)) return {};
    return { reply: { status: 200, body: change(reply.body, formOf(form), scene) } };
  };

export const saying = (rewrite: (text: string) => Json) =>
  altered((body, form) => form.withText(body, rewrite(form.textOf(body))));

export const counting = (change: (usage: JsonObject, names: Form['usage'], settings: Settings) => Json | undefined) =>
  altered((body, form, { settings }) => {
    const { usage, ...rest } = body;
    const changed = change(isJsonObject(usage) ? usage : {}, form.usage, settings);
    return changed === undefined ? rest : { ...rest, usage: changed };
  });

export const both = ({ input, output }: Form['usage'], value: Json): JsonObject => ({
  [input]: value,
  [output]: value,
});

export const failing =
  (status: number, code: string | null, message: string, headers?: Readonly<Record<string, string>>) =>
  ({ settings }: Scene): Partial<Weather> => ({
    reply: errorReply(status, code, message),
    passage: { headers: { ...headers, ...retryAfter(settings) } },
  });

const retryAfter = ({ retry_after_seconds: seconds }: Settings): Record<string, string> =>
  seconds === undefined ? {} : { 'retry-after': String(seconds) };
