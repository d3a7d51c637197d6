/** Texts by name of the file. */
export type Texts = Readonly<Record<string, string>>;

export const GOLDEN: string;
export const RUNS: readonly string[];
export function buildAll(): Readonly<Record<string, Texts>>;
export function outputs(run: string, out: string): Texts;
export function goldens(run: string): Texts;
