// Answers every chat after as many milliseconds as argv says, and notes by its own clock when each came. Tells its parent the
// port; asked, all arrivals and for how long it stood still itself at most.
import { createServer } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const latency = Number(process.argv[2]);
const REPLY = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'word' }, finish_reason: 'stop', logprobs: null }],
  usage: { prompt_tokens: 300, completion_tokens: 1, total_tokens: 301 },
});

const arrivals = [];
const stalls = monitorEventLoopDelay({ resolution: 1 });
stalls.enable();
const server = createServer((request, response) => {
  arrivals.push(performance.now());
  request.resume();
  request.on('end', () =>
    setTimeout(() => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(REPLY) });
      response.end(REPLY);
    }, latency),
  );
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('message', () => process.send({ arrivals, stall: stalls.max / 1e6 }));
process.on('disconnect', () => process.exit());
