/** The shipped experiment on a server with a tokenizer and a model of its own: the doctor's line, a build, its gates. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Event, type Project, removeProject, shippedProject } from '../helpers/project.ts';
import { answerAt, type Ways } from '../servers/tokenizer-server.ts';

const SAMPLES = 12;
let project: Project;
let server: Server | undefined;

beforeEach(() => {
  project = shippedProject({ samples: SAMPLES });
});
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
  removeProject(project);
});

/** Serves completions in the given ways, and verdicts that say nothing. */
async function serve(ways: Ways, settings = ''): Promise<void> {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (request.method === 'GET') return send(200, { data: [{ id: 'base' }, { id: 'large' }] });
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const draw = String(request.headers['idempotency-key'] ?? '');
    if (request.url?.endsWith('/chat/completions')) {
      const names = Object.keys(body.response_format?.json_schema?.schema?.properties ?? {});
      const verdict = Object.fromEntries(names.map((name, index) => [name, 4 + index]));
      return send(200, {
        model: body.model,
        choices: [
          { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: JSON.stringify(verdict) } },
        ],
        usage: { prompt_tokens: 10, completion_tokens: 10 },
      });
    }
    const answer = answerAt(request.url ?? '', body, draw, ways);
    return send(answer.status, answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  project.write(
    'configs/providers/simulator.yaml',
    `providers:
  lab: { type: openai, base_url: "http://127.0.0.1:${port}/v1", identity: lab, concurrency: 4, attempts: 1 }
models:
  scout: { provider: lab, model: base, template: llama4${settings} }
  maverick: { provider: lab, model: large, template: llama4${settings} }
  judge: { provider: lab, model: base }
  oracle: { provider: lab, model: base }
prices: configs/lab-prices.yaml
`,
  );
  project.write(
    'configs/lab-prices.yaml',
    "date: '2026-01-01'\nmodels: { base: { input: 0, output: 0 }, large: { input: 0, output: 0 } }\n",
  );
  for (const policy of ['p0', 'pi_clone', 'pi_cot', 'pi_bigger_model', 'pi_bad']) {
    const file = `configs/policies/${policy}.yaml`;
    project.write(file, project.read(file).replace(/^max_tokens: \d+/m, 'max_tokens: 40'));
  }
}

/** The command beside a server of this very process: nothing may block it. */
async function run(...args: string[]): Promise<{ exit: number; text: string; events: Event[] }> {
  const child = project.start(args);
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [exit] = (await once(child, 'close')) as [number];
  const events = args.includes('--json')
    ? text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Event)
    : [];
  return { exit, text, events };
}

const BUILD = ['build', 'dataset/deterministic', '--set', 'oracle=off', '--set', 'tolerate=1', '--json', '--yes'];

interface Quality {
  readonly logprobs: readonly {
    readonly policy: string;
    readonly usable: number;
    readonly statuses: Record<string, number>;
  }[];
  readonly consistency?: readonly { readonly policy: string; readonly rows: number; readonly slope: number }[];
  readonly gates: readonly {
    readonly gate: string;
    readonly policy: string;
    readonly passed: boolean;
    readonly note?: string;
  }[];
}

async function quality(): Promise<Quality> {
  const built = await run(...BUILD);
  expect(built.exit, built.text.slice(-2000)).toBe(0);
  const shown = [...project.outputs()].find(([path]) => path.endsWith('dataset/deterministic/quality.json'));
  return JSON.parse(shown![1]) as Quality;
}

it('takes the line that the doctor gives, and every row then has the number of its own tokens', async () => {
  await serve({ show: 'deferred' });
  const examined = await run('doctor', '--json');
  const lines = examined.events.filter(({ type }) => type === 'model-checked').map(({ settings }) => settings);
  expect(lines.slice(0, 2)).toEqual([{ forcing: 'ids' }, { forcing: 'ids' }]);
  server?.closeAllConnections();
  await serve({ show: 'deferred' }, ', forcing: ids');
  const { logprobs, consistency, gates } = await quality();
  expect(logprobs.map(({ usable }) => usable)).toEqual(new Array(5).fill(SAMPLES));
  expect(consistency?.map(({ policy }) => policy).sort()).toEqual([
    'p0',
    'pi_bad',
    'pi_bigger_model',
    'pi_clone',
    'pi_cot',
  ]);
  for (const { slope } of consistency ?? []) expect(slope).toBeCloseTo(1, 9);
  expect(gates.filter(({ gate, passed }) => !passed && gate.startsWith('consistency'))).toEqual([]);
  const again = await run(...BUILD);
  expect(again.events.at(-1)).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0 } });
});

it('refuses values on another scale by name, in the doctor and in the build', async () => {
  await serve({ wrong: 'scaled' }, ', forcing: ids');
  const examined = await run('doctor');
  expect(examined.exit).toBe(1);
  expect(examined.text).toContain('scaled: forced values are a multiple of those of generation');
  const { logprobs, gates } = await quality();
  expect(logprobs.find(({ policy }) => policy === 'p0')?.usable).toBe(0);
  const failed = gates.filter(({ gate, passed }) => !passed && gate === 'consistency_slope');
  expect(failed.map(({ policy }) => policy).sort()).toEqual(['p0', 'pi_bad', 'pi_bigger_model', 'pi_clone', 'pi_cot']);
  expect(new Set(failed.map(({ note }) => note))).toEqual(new Set(['all values are on another scale or base']));
});
