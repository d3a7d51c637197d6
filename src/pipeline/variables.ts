/** The values of `vars:`, as the profile and `--set` override them. */

import { interpolate, type Scope } from './interpolate.ts';
import { type Problems, suggest } from './problems.ts';
import { pointTo, type Source } from './source.ts';
import { entriesOf, type Tree } from './tree.ts';
import { readYaml } from './yaml.ts';

export type Assignments = Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[];

/** Variables by name. Each is interpolated when first looked up, so they may refer to one another. */
export class Variables implements Scope {
  readonly #written = new Map<string, Tree>();
  readonly #values = new Map<string, Tree>();
  readonly #open: string[] = [];
  readonly #problems: Problems;

  /** @param declared the tree under `vars:`. */
  constructor(declared: Tree | undefined, problems: Problems) {
    this.#problems = problems;
    for (const [name, { value }] of entriesOf(declared)) this.#written.set(name, value);
  }

  names(): readonly string[] {
    return [...this.#written.keys()];
  }

  /** Reports names that the profile sets and nobody declares, and puts the others in force when `apply` is set. */
  override(overrides: Tree | undefined, profile: string, apply: boolean): void {
    for (const [name, { key, value }] of entriesOf(overrides)) {
      const declared = this.#written.get(name);
      if (declared === undefined) {
        this.#problems.add(
          key,
          'CJE-UNKNOWN-VARIABLE',
          `The profile '${profile}' sets '${name}', which 'vars:' does not declare`,
          {
            hint: suggest(name, this.names(), 'variable'),
          },
        );
      } else if (apply && this.#fits(name, declared, value)) this.#written.set(name, value);
    }
  }

  /** Puts `--set name=value` in force; the value is read as YAML, so that numbers and lists keep their type. */
  assign(assignments: Assignments): void {
    for (const [name, text] of Array.isArray(assignments) ? assignments : Object.entries(assignments)) {
      const source: Source = { kind: 'argument', name: '--set', text: `${name}=${text}` };
      const declared = this.#written.get(name);
      if (declared === undefined) {
        this.#problems.add(
          { source, start: 0, end: name.length },
          'CJE-UNKNOWN-VARIABLE',
          `There is no variable '${name}' to set`,
          {
            hint: suggest(name, this.names(), 'variable'),
          },
        );
        continue;
      }
      const value = readYaml(source, this.#problems, { interpolated: true, from: name.length + 1 });
      if (value !== undefined && this.#fits(name, declared, value)) this.#written.set(name, value);
    }
  }

  /** A list stays a list: a single word in its place is the commonest slip, and would be reported far from here. */
  #fits(name: string, declared: Tree, value: Tree): boolean {
    if (declared.type !== 'list' || value.type === 'list' || isReference(value)) return true;
    this.#problems.add(value.span, 'CJE-NOT-A-LIST', `'${name}' is a list, and this is none`, {
      facts: [['declared', pointTo(declared.span)]],
      ...(value.type === 'scalar' ? { hint: `Write it as [${String(value.value)}].` } : {}),
    });
    return false;
  }

  lookUp(name: string): Tree | undefined {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const written = this.#written.get(name);
    if (written === undefined) return undefined;
    if (this.#open.includes(name)) {
      const path = [...this.#open.slice(this.#open.indexOf(name)), name];
      this.#problems.add(written.span, 'CJE-VARIABLE-CYCLE', `The variables go in a circle: ${path.join(' → ')}`);
      return { type: 'broken', span: written.span };
    }
    this.#open.push(name);
    const value = interpolate(written, this, this.#problems);
    this.#open.pop();
    this.#values.set(name, value);
    return value;
  }
}

const isReference = (tree: Tree) =>
  tree.type === 'scalar' && typeof tree.value === 'string' && tree.value.startsWith('${');
