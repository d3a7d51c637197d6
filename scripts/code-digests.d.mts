export type CodeDigests = Readonly<Record<string, string>>;

export interface Code {
  files(name: string): readonly string[];
  digests(edit?: (path: string, text: string) => string): Promise<CodeDigests>;
}

export function codeDigests(root: string): Promise<CodeDigests>;
export function readCode(root: string): Promise<Code>;
