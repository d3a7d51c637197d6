/** The build's side of the engine: starts its process, asks it, and says how it ended, as a transport does of a server. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Provider } from '../core/graph.ts';
import type { LocalModels } from '../core/local-engine.ts';
import type { Exchange } from '../providers/classify.ts';
import type { StartedEngine } from '../providers/connection.ts';
import type { Transport } from '../providers/transport.ts';
import type { EngineOptions, FromEngine, ToEngine } from './messages.ts';

/** The last words of a process that ended by itself. */
const LAST_WORDS = 400;

/**
 * @param root the folder of pipeline.yaml
 * @param worker the bundled `worker.ts`
 */
export async function startEngine(provider: Provider, root: string, worker: URL): Promise<StartedEngine> {
  const { limits } = provider;
  // As the loader has checked them.
  const { engine, context, threads = null, gpu, models } = provider.options;
  const child = fork(worker, { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const process_ = new EngineProcess(child, limits.timeoutSeconds);
  const options: EngineOptions = {
    root,
    version: engine as string,
    models: models as LocalModels,
    context: context as number,
    sequences: limits.concurrency,
    threads: threads as number | null,
    gpu: gpu as boolean,
  };
  const opened = await process_.open(options);
  if (opened === undefined) return { ok: true, transport: process_ };
  await process_.close();
  return { ok: false, failure: { class: 'fatal', reason: 'bad_setting', message: opened } };
}

class EngineProcess implements Transport {
  readonly #child: ChildProcess;
  readonly #timeoutSeconds: number;
  readonly #waiting = new Map<number, (exchange: Exchange) => void>();
  #opening: ((trouble: string | undefined) => void) | undefined;
  #words = '';
  #asked = 0;
  /** How the process ended by itself; undefined while it runs. */
  #ended: string | undefined;

  constructor(child: ChildProcess, timeoutSeconds: number) {
    this.#child = child;
    this.#timeoutSeconds = timeoutSeconds;
    child.on('message', (message: FromEngine) => this.#hear(message));
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#words = (this.#words + chunk.toString()).slice(-LAST_WORDS);
    });
    // A process that could not be started says so here, and ends.
    child.on('error', (error) => this.#end(error.message));
    child.on('close', (code, signal) => this.#end(signal ?? `exit ${code}`));
  }

  /** Why the engine cannot be used; undefined where it can. */
  open(options: EngineOptions): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#opening = resolve;
      this.#tell({ type: 'open', options });
    });
  }

  send({ path, body, key }: Parameters<Transport['send']>[0], _: string | undefined, signal: AbortSignal) {
    return this.#ask((id) => ({ type: 'ask', id, path, body, key }), signal);
  }

  get(_: string, signal: AbortSignal): Promise<Exchange> {
    return this.#ask((id) => ({ type: 'list', id }), signal);
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const ended = once(this.#child, 'close');
    // It takes no other signal for its own: those that end a build reach the whole group.
    this.#child.kill('SIGKILL');
    await ended;
  }

  #ask(message: (id: number) => ToEngine, signal: AbortSignal): Promise<Exchange> {
    if (this.#ended !== undefined) return Promise.resolve(this.#lost());
    if (signal.aborted) return Promise.resolve({ type: 'aborted' });
    const id = ++this.#asked;
    return new Promise((resolve) => {
      const seconds = this.#timeoutSeconds;
      const finish = (exchange: Exchange) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(id);
        resolve(exchange);
      };
      const giveUp = (exchange: Exchange) => {
        this.#tell({ type: 'cancel', id });
        finish(exchange);
      };
      const abort = () => giveUp({ type: 'aborted' });
      const timer = setTimeout(() => giveUp({ type: 'timeout', seconds }), seconds * 1000);
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.set(id, finish);
      this.#tell(message(id));
    });
  }

  #tell(message: ToEngine): void {
    if (this.#ended === undefined) this.#child.send(message, () => {});
  }

  #hear(message: FromEngine): void {
    switch (message.type) {
      case 'opened':
        this.#opening?.(undefined);
        return;
      case 'refused':
        this.#opening?.(message.message);
        return;
      case 'answer': {
        const { status, body } = message;
        const header = () => undefined;
        this.#waiting.get(message.id)?.(
          status === 200
            ? { type: 'reply', status, raw: body, header }
            : { type: 'status', status, body: JSON.parse(body), header },
        );
        return;
      }
    }
  }

  #end(how: string): void {
    const words = this.#words.trim().split('\n').at(-1) ?? '';
    // Of a failed assertion what it says, and not where it was built.
    const said = words.replace(/^\S*\/(?=[^/\s]+:\d+: )/, '');
    this.#ended ??= `the local engine ended (${how})${said === '' ? '' : `: ${said}`}`;
    this.#opening?.(this.#ended);
    for (const finish of [...this.#waiting.values()]) finish(this.#lost());
  }

  /** Nothing that is asked of this process can succeed, and asking again would not start another. */
  #lost(): Exchange {
    return {
      type: 'status',
      status: 503,
      body: { error: { message: this.#ended ?? '', code: 'local_engine_lost' } },
      header: () => undefined,
    };
  }
}
