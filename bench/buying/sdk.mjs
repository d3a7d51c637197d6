// node sdk.mjs BASE_URL PROMPTS CONCURRENCY: asks each prompt through the `openai` SDK as anyone would, and keeps nothing.
import { readFileSync } from 'node:fs';
import OpenAI from 'openai';

const [baseURL, file, concurrency] = process.argv.slice(2);
const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
let next = 0;
let tokens = 0;
const worker = async () => {
  while (next < lines.length) {
    const { prompt } = JSON.parse(lines[next++]);
    const messages = [{ role: 'user', content: prompt }];
    const reply = await client.chat.completions.create({ model: 'm', max_tokens: 1024, temperature: 1, messages });
    tokens += reply.usage.total_tokens;
  }
};
await Promise.all(Array.from({ length: Number(concurrency) }, worker));
if (tokens === 0) throw new Error('nothing was answered');
