/**
 * A server of OpenAI's `/v1/chat/completions` and `/v1/completions`, written from what servers and gateways have been seen
 * to do, and sharing no code with what it checks. Its first argument says, as JSON, how it differs from a plain one. It
 * keeps its own bill. Started by `fork`, it tells its port; a message `bill` is answered with the bill, any other object
 * changes how it is.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';

interface Manner {
  /** What its replies say under `model`, in turn; null says nothing. By default the name that was asked for. */
  names?: (string | null)[];
  /** Models that it knows; by default any. */
  models?: string[];
  /** The credential that it wants, and a header that it wants beside. */
  key?: string;
  header?: [name: string, value: string];
  /** Types of `response_format` that it takes; by default all. */
  formats?: string[];
  /** How a judge's answer is wrapped, `%` standing for it. */
  wrap?: string;
  /** Fields of a body that it refuses. */
  refuses?: string[];
  /** Below which path its API is. */
  base?: string;
  /** Fields that every reply has beside the usual, and what stands before its JSON. */
  reply?: Record<string, unknown>;
  pad?: string;
  /** Fields of a listed model. */
  listed?: Record<string, unknown>;
  /** Its answers and what it counts of requests are of many lengths. */
  uneven?: boolean;
  /** It has no raw completions. */
  chatOnly?: boolean;
}

let manner = JSON.parse(process.argv[2] ?? '{}') as Manner;
const bill = { requests: 0, answered: 0, input: 0, output: 0, formats: [] as string[], refused: [] as string[] };
let turn = 0;
const sumOf = (text: string): number => [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7);

const server = createServer(async (request, response) => {
  const base = manner.base ?? '/v1';
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const wrong = trouble(request);
  if (wrong !== undefined) return fail(response, 401, wrong, 'invalid_api_key');
  if (pathname === `${base}/models`) {
    const data = (manner.models ?? ['m']).map((id) => ({
      id,
      object: 'model',
      created: 0,
      owned_by: 'lab',
      ...manner.listed,
    }));
    return send(response, 200, { object: 'list', data });
  }
  const chat = pathname === `${base}/chat/completions`;
  if (!chat && (manner.chatOnly === true || pathname !== `${base}/completions`)) {
    return fail(response, 404, 'Not Found', null);
  }
  bill.requests += 1;
  const asked = JSON.parse(text) as Record<string, unknown>;
  const model = String(asked.model);
  if (manner.models !== undefined && !manner.models.includes(model)) {
    return fail(response, 404, `The model \`${model}\` does not exist`, 'model_not_found');
  }
  const field = manner.refuses?.find((name) => asked[name] !== undefined);
  if (field !== undefined) return fail(response, 400, `Unrecognized request argument supplied: ${field}`, null);
  const format = (asked.response_format as { type?: string } | undefined)?.type ?? 'none';
  if (chat) bill.formats.push(format);
  if (format !== 'none' && manner.formats !== undefined && !manner.formats.includes(format)) {
    bill.refused.push(format);
    return fail(response, 400, 'This response_format type is unavailable now', 'invalid_request_error');
  }
  const names = manner.names ?? [model];
  const name = names[turn++ % names.length];
  const [input, output] = manner.uneven ? [Math.ceil(text.length / 5), 1 + (sumOf(text) % 40)] : [20, 5];
  const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
  bill.answered += 1;
  bill.input += usage.prompt_tokens;
  bill.output += usage.completion_tokens;
  const judged = (manner.wrap ?? '%').replace('%', '{"score": 7}');
  const choice = chat
    ? { index: 0, message: { role: 'assistant', content: judged }, finish_reason: 'stop' }
    : { index: 0, text: `Answer ${turn}.`, logprobs: null, finish_reason: 'stop' };
  send(response, 200, {
    id: 'r',
    ...(name === null ? {} : { model: name }),
    choices: [choice],
    usage,
    ...manner.reply,
  });
});

function trouble({ headers }: IncomingMessage): string | undefined {
  if (manner.key !== undefined && headers.authorization !== `Bearer ${manner.key}`) return 'Incorrect API key provided';
  if (manner.header === undefined) return undefined;
  const [name, value] = manner.header;
  return headers[name.toLowerCase()] === value ? undefined : `the header ${name} is missing`;
}

function fail(response: ServerResponse, status: number, message: string, code: string | null): void {
  send(response, status, { error: { message, type: 'invalid_request_error', param: null, code } });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${manner.pad ?? ''}${JSON.stringify(body)}`);
}

// As a proxy it leads every address to itself, so that a test can stand for any host.
server.on('connect', (_, socket) => {
  const target = connect((server.address() as { port: number }).port, '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    socket.pipe(target).pipe(socket);
  });
  target.on('error', () => socket.destroy());
  socket.on('error', () => target.destroy());
});

process.on('message', (message) => {
  if (message === 'bill') process.send?.(bill);
  else {
    manner = message as Manner;
    process.send?.('changed');
  }
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
