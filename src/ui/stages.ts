/** What a build's events add up to by stage: a stage is told once, when the last of its nodes is settled. */

import type { BuildEvent, NodeOutcome } from '../core/events.ts';
import { completeItems } from '../core/summary.ts';

export interface StageState {
  readonly name: string;
  /** Nodes in all, and those that are settled. */
  readonly nodes: number;
  settled: number;
  readonly outcomes: Record<NodeOutcome | 'unfinished', number>;
  items: number;
  complete: number;
  bought: number;
  cached: number;
  failed: number;
  cost: number;
  /** When its first node began; undefined before. */
  startedAt: number | undefined;
  /** Replies under other names than the asked one, by name. */
  readonly answeredAs: Map<string, number>;
}

/** Follows one build. */
interface Stages {
  /** In the order of the graph. */
  readonly names: readonly string[];
  /** The stage that this event was the last of. */
  follow(event: BuildEvent, now: number): StageState | undefined;
}

export function createStages(): Stages {
  const stages = new Map<string, StageState>();
  const names: string[] = [];
  return {
    names,
    follow(event, now) {
      switch (event.type) {
        case 'started':
          for (const [name, nodes] of Object.entries(event.stages ?? {})) {
            stages.set(name, newStage(name, nodes));
            names.push(name);
          }
          return undefined;
        case 'node-started': {
          const stage = stages.get(event.stage);
          if (stage !== undefined) stage.startedAt ??= now;
          return undefined;
        }
        case 'node-finished': {
          const stage = stages.get(event.stage);
          if (stage === undefined) return undefined;
          settle(stage, event);
          return stage.settled === stage.nodes ? stage : undefined;
        }
        default:
          return undefined;
      }
    },
  };
}

function newStage(name: string, nodes: number): StageState {
  return {
    name,
    nodes,
    settled: 0,
    outcomes: { run: 0, cached: 0, failed: 0, unfinished: 0, refused: 0, skipped: 0 },
    items: 0,
    complete: 0,
    bought: 0,
    cached: 0,
    failed: 0,
    cost: 0,
    startedAt: undefined,
    answeredAs: new Map(),
  };
}

type Finished = Extract<BuildEvent, { type: 'node-finished' }>;

function settle(stage: StageState, event: Finished): void {
  const { outcome, summary, calls, cost } = event;
  stage.settled++;
  stage.outcomes[event.unfinished === true ? 'unfinished' : outcome]++;
  if (summary !== undefined) {
    stage.items += summary.items;
    stage.complete += completeItems(summary);
  }
  stage.bought += calls.bought;
  stage.cached += calls.cached;
  stage.failed += calls.failed;
  stage.cost += cost;
  for (const [name, replies] of otherNames(event)) {
    stage.answeredAs.set(name, (stage.answeredAs.get(name) ?? 0) + replies);
  }
}

/** Under which other names models answered, where they did in this build. */
export function otherNames({ calls, outcome, summary }: Finished): [name: string, replies: number][] {
  if (outcome === 'cached' || calls.bought + calls.cached + calls.failed === 0) return [];
  return (summary?.calls ?? []).flatMap(({ model, served = [] }) =>
    served.flatMap(({ name, replies }): [string, number][] => (name === model ? [] : [[name, replies]])),
  );
}
