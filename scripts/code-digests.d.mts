export type CodeDigests = Readonly<Record<string, string>>;

export interface Code {
  digests(edit?: (path: string, text: string) => string): Promise<CodeDigests>;
}

export function codeDigests(root: string): Promise<CodeDigests>;
export function readCode(root: string): Promise<Code>;
