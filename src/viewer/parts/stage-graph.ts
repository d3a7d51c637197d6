/** The graph drawn by stage: each stands to the right of all that it depends on. */

import { clip, plainLine } from '../../text/escape.ts';
import { html, Markup } from '../../text/html.ts';
import type { ShownNode } from '../model/open-node.ts';

export interface Stage {
  readonly name: string;
  readonly nodes: readonly ShownNode[];
}

const WIDTH = 150;
const HEIGHT = 48;
const GAP_X = 56;
const GAP_Y = 20;

/** Stages in the order of their first node. */
export function stagesOf(nodes: readonly ShownNode[]): Stage[] {
  const stages = new Map<string, ShownNode[]>();
  for (const node of nodes) stages.set(node.stage, [...(stages.get(node.stage) ?? []), node]);
  return [...stages].map(([name, members]) => ({ name, nodes: members }));
}

/** @param words what a box says below its name. @param anchor where a box leads. */
export function stageGraph(
  stages: readonly Stage[],
  words: (stage: Stage) => string,
  anchor: (stage: Stage) => string,
): Markup {
  const stageOf = new Map(stages.flatMap(({ name, nodes }) => nodes.map((node) => [node.name, name] as const)));
  const below = new Map<string, Set<string>>();
  for (const { name, nodes } of stages) {
    const sources = nodes.flatMap(({ inputs }) => inputs.map(({ node }) => stageOf.get(node)));
    below.set(name, new Set(sources.filter((source) => source !== undefined && source !== name) as string[]));
  }
  const depth = depths(stages, below);
  const columns: Stage[][] = [];
  for (const stage of stages) {
    const at = depth.get(stage.name)!;
    columns[at] ??= [];
    columns[at].push(stage);
  }
  const tallest = Math.max(...columns.map(({ length }) => length));
  const height = tallest * (HEIGHT + GAP_Y) - GAP_Y;
  const places = new Map<string, readonly [x: number, y: number]>();
  for (const [column, members] of columns.entries()) {
    const own = members.length * (HEIGHT + GAP_Y) - GAP_Y;
    for (const [row, { name }] of members.entries()) {
      places.set(name, [column * (WIDTH + GAP_X), (height - own) / 2 + row * (HEIGHT + GAP_Y)]);
    }
  }
  const direct = (name: string, source: string) =>
    ![...below.get(name)!].some((other) => other !== source && reaches(other, source, below));
  const edges = stages.flatMap(({ name }) =>
    [...below.get(name)!]
      .filter((source) => direct(name, source))
      .map((source) => edge(places.get(source)!, places.get(name)!)),
  );
  const boxes = stages.map((stage) => {
    const [x, y] = places.get(stage.name)!;
    const worst = worstState(stage);
    return html`<a href="${anchor(stage)}"><rect class="box ${worst}" x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="6"/>
<text x="${x + 12}" y="${y + 20}" class="name">${clip(plainLine(stage.name), 18)}</text><text x="${x + 12}" y="${y + 37}" class="words">${clip(plainLine(words(stage)), 24)}</text></a>`;
  });
  const width = columns.length * (WIDTH + GAP_X) - GAP_X;
  return html`<div class="scroll" role="region" aria-label="The graph by stage" tabindex="0"><svg class="stages" viewBox="-2 -2 ${width + 4} ${height + 4}" width="${width + 4}" height="${height + 4}" role="group" aria-label="Stages, each to the right of those that it depends on">
${edges.map((path) => new Markup(path))}
${boxes}</svg></div>`;
}

function edge([x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): string {
  const [startX, startY, endX, endY] = [x1 + WIDTH, y1 + HEIGHT / 2, x2 - 5, y2 + HEIGHT / 2];
  // The curve ends within the gap before its target, so that it does not run under boxes more than it must.
  const bend = endX - GAP_X / 2;
  const turn = Math.max(startX, bend - GAP_X);
  const tip = `<path class="tip" d="M${endX + 4} ${endY}l-7 -3.5v7z"/>`;
  return `<path class="edge" d="M${startX} ${startY}H${turn}C${bend} ${startY} ${bend} ${endY} ${endX} ${endY}"/>${tip}`;
}

/** The longest way from a stage without inputs. */
function depths(stages: readonly Stage[], below: ReadonlyMap<string, ReadonlySet<string>>): Map<string, number> {
  const depth = new Map<string, number>();
  const visit = (name: string): number => {
    const known = depth.get(name);
    if (known !== undefined) return known;
    // A stage may depend on nodes of its own or, in an odd pipeline, in a circle with another; neither pushes it further.
    depth.set(name, 0);
    const deepest = Math.max(-1, ...[...below.get(name)!].map(visit));
    depth.set(name, deepest + 1);
    return deepest + 1;
  };
  for (const { name } of stages) visit(name);
  return depth;
}

function reaches(from: string, to: string, below: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const seen = new Set<string>();
  const visit = (name: string): boolean => {
    if (name === to) return true;
    if (seen.has(name)) return false;
    seen.add(name);
    return [...(below.get(name) ?? [])].some(visit);
  };
  return visit(from);
}

const ORDER = ['failed', 'incomplete', 'stale', 'skipped'] as const;

/** Refusals are results, so a stage with some of them is done. */
function worstState({ nodes }: Stage): string {
  const worst = ORDER.find((state) => nodes.some((node) => node.state === state));
  if (worst !== undefined) return worst;
  return nodes.every(({ state }) => state === 'refused') ? 'refused' : 'done';
}
