/** Who answered: all APIs that are known say it under `model`. */

import type { JsonObject } from '../../core/json.ts';

export function servedModel({ model }: JsonObject): string | undefined {
  return typeof model === 'string' && model.trim() !== '' ? model : undefined;
}
