/**
 * Templates whose rendering here is known to be that of the reference engine: by the SHA-256 of their text, with
 * renderings in `test/fixtures/chat-templates`.
 */

import { createHash } from 'node:crypto';

const FAMILIES: Readonly<Record<string, string>> = {
  b48c47f6443892716176eb200bf4ef108f64e06ca26ed0fa8ebc0a4b3992fcb2: 'Llama 3',
  '87a2728cb8dc9fe424d624542f6060ec05a1d285ebbec578bb078900e33396b5': 'Qwen 3',
  '7de1c58e208eda46e9c7f86397df37ec49883aeece39fb961e0a6b24088dd3c4': 'Gemma 3',
  '3b8267e54b67df6500f231ffa969955cc9d26b3444a291ced4eb96ca7d3ca1ea': 'DeepSeek V3',
};

/** The family that a template is of; undefined for one that was not compared. */
export const verifiedFamily = (source: string): string | undefined =>
  FAMILIES[createHash('sha256').update(source).digest('hex')];
