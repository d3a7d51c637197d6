/** A terminal that keeps what it shows, time that is moved by hand, and a build to show. */

import type { BuildEvent, NodeProgress } from '../../src/core/events.ts';
import type { Timer } from '../../src/ui/sink.ts';

export interface FakeTerminal {
  write(text: string): void;
  /** Everything that was written. */
  readonly written: string[];
  /** What can be seen, colours apart; without trailing blank lines. */
  screen(): string[];
  cursorVisible(): boolean;
}

/** Understands line feeds, cursor up, carriage return, erase below, the cursor's visibility and colours. */
export function fakeTerminal(): FakeTerminal {
  const written: string[] = [];
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  let visible = true;
  const put = (character: string) => {
    const line = lines[row] ?? '';
    lines[row] = line.slice(0, column) + character + line.slice(column + 1);
    column++;
  };
  return {
    written,
    write(text) {
      written.push(text);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      for (const [piece, command] of text.matchAll(/\u001b\[(\??[0-9]*[A-Za-z])|[\s\S]/gu)) {
        if (command === undefined) {
          if (piece === '\n') {
            row++;
            column = 0;
            if (row === lines.length) lines.push('');
          } else if (piece === '\r') column = 0;
          else if (piece < ' ') throw new Error(`the terminal was sent ${JSON.stringify(piece)}`);
          else put(piece);
        } else if (command === '?25l') visible = false;
        else if (command === '?25h') visible = true;
        else if (command.endsWith('A')) row = Math.max(0, row - Number(command.slice(0, -1)));
        else if (command === 'J') {
          lines[row] = (lines[row] ?? '').slice(0, column);
          lines.length = row + 1;
        } else if (!command.endsWith('m')) throw new Error(`the terminal does not know ${command}`);
      }
    },
    screen: () => lines.join('\n').trimEnd().split('\n'),
    cursorVisible: () => visible,
  };
}

export interface FakeTimer extends Timer {
  advance(ms: number): void;
}

export function fakeTimer(): FakeTimer {
  let now = 0;
  let timers: { readonly at: number; readonly callback: () => void }[] = [];
  return {
    now: () => now,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers = timers.filter((other) => other !== due);
        now = due.at;
        due.callback();
      }
      now = end;
    },
  };
}

export const started = (nodes: number, stages: Readonly<Record<string, number>> = {}): BuildEvent => ({
  type: 'started',
  version: 2,
  experiment: 'arena',
  profile: 'sim',
  targets: ['ablations'],
  nodes,
  stages,
});

const stageOf = (node: string): string => node.split('/')[0]!;

export const nodeStarted = (node: string, reason = 'never built'): BuildEvent => ({
  type: 'node-started',
  node,
  stage: stageOf(node),
  kind: 'scores',
  reason,
});

export const nodeProgress = (node: string, fields: Partial<NodeProgress>): BuildEvent => ({
  type: 'node-progress',
  node,
  done: 0,
  items: 200,
  bought: 0,
  cached: 0,
  failed: 0,
  inFlight: 0,
  cost: 0,
  ...fields,
});

type NodeFinished = Extract<BuildEvent, { type: 'node-finished' }>;
export const nodeFinished = (node: string, fields: Partial<NodeFinished> = {}): BuildEvent => ({
  type: 'node-finished',
  node,
  stage: stageOf(node),
  outcome: 'run',
  summary: { items: 200, statuses: { ok: 200 }, calls: [] },
  calls: { bought: 200, cached: 0, failed: 0 },
  cost: 0.0132,
  milliseconds: 2100,
  ...fields,
});

type Finished = Extract<BuildEvent, { type: 'finished' }>;
export const finished = (fields: Partial<Finished> = {}): Finished => ({
  type: 'finished',
  exit: 0,
  build: '20260504-1',
  milliseconds: 12_340,
  nodes: { run: 3, cached: 28, failed: 0, refused: 0, skipped: 0 },
  calls: { bought: 2400, cached: 300, failed: 0 },
  cost: { billed: 0.8512, saved: 0.1, reproduce: 1.27 },
  ...fields,
});
