/** The engine that runs models inside this machine. Which release it is moves numbers, so it is part of identities. */

export const ENGINE = { name: 'node-llama-cpp', version: '3.22.1' } as const;

/** Whether models of an identity run inside this machine; another name may have been given to it. */
export const runsHere = (identity: string): boolean => identity.startsWith(`llama:${ENGINE.name}@`);

/** What a model's file says of itself. */
export type ModelFile = {
  /** SHA-256 of its bytes, hex. */
  readonly sha256: string;
  /** The name that it gives itself; '' where it gives none. */
  readonly name: string;
  /** Tokens that the model was trained to hold; null where it does not say. */
  readonly context: number | null;
  /** Its chat template, in Jinja; null where it has none. */
  readonly template: string | null;
  /** The token that its texts begin with; null where there is none. */
  readonly bos: string | null;
  /** The token that ends a turn; null where the file names none. */
  readonly eos: string | null;
  /** Texts that its tokenizer reads as control tokens. */
  readonly special: readonly string[];
};

/** Reads a model's file, or says why it is none. */
export type ReadModelFile = (
  path: string,
) => { readonly ok: true; readonly file: ModelFile } | { readonly ok: false; readonly reason: string };

/** A model as the engine is handed it. */
export type LocalModel = { readonly path: string; readonly file: ModelFile };

/** By what a model is called in keys: the name it gives itself, and its bytes; never where it lies. */
export type LocalModels = Readonly<Record<string, LocalModel>>;

export const localModelId = ({ name, sha256 }: ModelFile): string =>
  `${name.replace(/[^\w.-]+/g, '-').slice(0, 60) || 'gguf'}@${sha256.slice(0, 16)}`;

/** Where the engine is looked for first: beside pipeline.yaml, so that its install touches no other package. */
export const ENGINE_FOLDER = '.engine';

/** @param platform, arch as Node names them */
export function installLine(version: string, platform: string, arch: string): string {
  const system = platform === 'darwin' ? 'mac' : platform === 'win32' ? 'win' : platform;
  const build = `@node-llama-cpp/${system}-${arch}${system === 'mac' && arch === 'arm64' ? '-metal' : ''}`;
  return `npm install --prefix ${ENGINE_FOLDER} --omit=optional --ignore-scripts ${ENGINE.name}@${version} ${build}@${version}`;
}
