/** Walks the trees of LMDB's data file before the library opens it, and finds the first page that contradicts another. */

import type { Disk } from '../disk/disk.ts';
import { META, NO_ROOT, NODE_FLAG, PAGE, PAGE_FLAG, TREE } from './layout.ts';
import { nodesOf, overflowPage, type PageFile, type PageNode, withPages } from './pages.ts';

interface PageDamage {
  readonly page: number;
  readonly reason: string;
}

/**
 * The first damage in any tree of the newest header; undefined: the file is sound. A writer may reuse pages during the
 * walk, so damage counts only if the header is still the newest one afterwards.
 */
export function findPageDamage(disk: Disk, path: string): PageDamage | undefined {
  for (let tries = 0; tries < TRIES; tries++) {
    const { damage, current } = withPages(disk, path, inspectTrees);
    if (damage === undefined || current) return damage;
  }
  return undefined;
}

/** How often a file is walked again while a writer keeps changing it. */
const TRIES = 5;

function inspectTrees(file: PageFile): { readonly damage: PageDamage | undefined; readonly current: boolean } {
  const newest = newestMeta(file);
  if (newest === undefined) return { damage: { page: 0, reason: 'the file is too short' }, current: true };
  const walk = new Walk(file, newest.readBigUInt64LE(META.lastPage));
  const damage =
    walk.tree(newest.subarray(META.free, META.free + TREE.bytes), false) ??
    walk.tree(newest.subarray(META.main, META.main + TREE.bytes), true);
  const now = newestMeta(file);
  return { damage, current: now !== undefined && transactionOf(now) === transactionOf(newest) };
}

const transactionOf = (meta: Buffer): bigint => meta.readBigUInt64LE(META.transaction);

function newestMeta(file: PageFile): Buffer | undefined {
  const [first, second] = [file.page(0), file.page(1)];
  if (first === undefined || second === undefined) return undefined;
  return transactionOf(second) > transactionOf(first) ? second : first;
}

class Walk {
  readonly #file: PageFile;
  /** 1 for each page that a tree has used so far. */
  readonly #seen: Uint8Array;
  /** No tree may use a page beyond this one: a writer may be writing there. */
  readonly #last: bigint;

  constructor(file: PageFile, last: bigint) {
    this.#file = file;
    this.#last = last;
    this.#seen = new Uint8Array(file.pages);
  }

  tree(description: Buffer, ordered: boolean): PageDamage | undefined {
    const root = description.readBigUInt64LE(TREE.root);
    if (root === NO_ROOT) return undefined;
    const depth = description.readUInt16LE(TREE.depth);
    const counted = { entries: 0n };
    const damage = this.#page(root, depth, ordered, counted);
    if (damage !== undefined) return damage;
    if (ordered && counted.entries !== description.readBigUInt64LE(TREE.entries)) {
      return { page: Number(root), reason: 'its tree has another number of entries than it says' };
    }
    return undefined;
  }

  #page(wanted: bigint, level: number, ordered: boolean, counted: { entries: bigint }): PageDamage | undefined {
    const number = Number(wanted);
    const damage = (reason: string): PageDamage => ({ page: number, reason });
    const page = wanted < BigInt(this.#file.pages) && wanted <= this.#last ? this.#file.page(number) : undefined;
    if (page === undefined) return damage('it lies outside the file');
    if (this.#seen[number] === 1) return damage('it is used twice');
    this.#seen[number] = 1;
    if (page.readBigUInt64LE(PAGE.number) !== wanted) return damage('it carries another number');
    const branch = level > 1;
    if (page.readUInt16LE(PAGE.flags) !== (branch ? PAGE_FLAG.branch : PAGE_FLAG.leaf))
      return damage('it is of another kind');
    const nodes = nodesOf(page, branch);
    if (typeof nodes === 'string') return damage(nodes);
    if (nodes.length === 0) return damage('it is empty');
    let before: Buffer | undefined;
    for (const [index, node] of nodes.entries()) {
      // LMDB never reads the first key of a branch page.
      if (ordered && !(branch && index === 0)) {
        if (before !== undefined && Buffer.compare(before, node.key) >= 0) return damage('its keys are not in order');
        before = node.key;
      }
      const below = branch ? this.#branch(node, level, ordered, counted) : this.#leaf(node, number, counted);
      if (below !== undefined) return below;
    }
    return undefined;
  }

  #branch(node: PageNode, level: number, ordered: boolean, counted: { entries: bigint }): PageDamage | undefined {
    const child = BigInt(node.size) + (BigInt(node.flags) << 32n);
    return this.#page(child, level - 1, ordered, counted);
  }

  #leaf(node: PageNode, page: number, counted: { entries: bigint }): PageDamage | undefined {
    counted.entries++;
    if ((node.flags & NODE_FLAG.big) !== 0 && overflowPage(this.#file, node.data, node.size) === undefined) {
      return { page, reason: 'a large value is not where it says' };
    }
    if ((node.flags & NODE_FLAG.tree) === 0) return undefined;
    // None of our tables has any of LMDB's options.
    return node.size === TREE.bytes && node.data.readUInt16LE(TREE.flags) === 0
      ? this.tree(node.data, true)
      : { page, reason: 'a table is not described' };
  }
}
