export function differences(file: string, golden: string, actual: string): string[];
export function summary(found: readonly string[], most?: number): string;
