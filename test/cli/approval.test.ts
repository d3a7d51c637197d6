import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { approve } from '../../src/cli/approval.ts';
import type { Lane } from '../../src/core/batch.ts';
import type { GraphNode, Provider } from '../../src/core/graph.ts';
import type { Kinds, RegisteredKind } from '../../src/core/kind.ts';
import { type Problem, ProblemError } from '../../src/core/problem.ts';
import { approvalOf, unaskedDollars } from '../../src/engine/plan/approval.ts';
import { makePlan } from '../../src/engine/plan/plan.ts';
import { TOY_MODEL, type ToyWorld, toyGraph, toyWorld } from '../helpers/toy.ts';
import { provider } from '../providers/support.ts';

type ApprovalOptions = Parameters<typeof approve>[2];

const HOSTED = provider({ name: 'lab', identity: 'toy' });
const BATCH = {
  api: 'openai',
  rows: 9,
  bytes: 9,
  echo: false,
  price: 1,
  pollSeconds: 1,
  graceSeconds: 1,
  patienceSeconds: 1,
} as const;
const BATCHING = { ...HOSTED, batch: BATCH };
const VARIABLE = 'LAB_KEY';

interface Case {
  /** Words, each asked in two nodes. */
  readonly words?: number;
  readonly confirmAbove?: number;
  /** That the pipeline declares. */
  readonly profiles?: readonly string[];
  readonly providers?: readonly Provider[];
  /** Dollars a call; undefined: unknown. */
  readonly price?: number | undefined;
  readonly simulated?: boolean;
  readonly options?: Partial<ApprovalOptions>;
  /** What somebody answers. */
  readonly typed?: string;
  readonly world?: ToyWorld;
  readonly kinds?: Kinds;
  readonly nodes?: ReadonlyMap<string, GraphNode>;
  readonly targets?: readonly string[];
}

/** Asks for an approval of a toy experiment, of which each call costs what is said. */
async function ask({ words = 250, confirmAbove = 1, providers = [HOSTED], simulated = false, ...more }: Case) {
  const world = more.world ?? toyWorld();
  const graph = {
    ...toyGraph({ words: Array.from({ length: words }, (_, index) => `word${index}`) }),
    ...(more.nodes === undefined ? {} : { nodes: more.nodes }),
    providers,
    budget: { confirmAbove },
    ...(more.profiles === undefined ? {} : { profiles: more.profiles }),
  };
  const price = 'price' in more ? more.price : 0.02;
  const ports = {
    ...world.ports(),
    ...(more.kinds === undefined ? {} : { kinds: more.kinds }),
    prices: {
      // Two tokens of output a call; half the price in batches.
      cost: (_: string, __: string, { outputTokens }: { outputTokens: number }, lane?: Lane) =>
        price === undefined ? undefined : (outputTokens / 2) * price * (lane === 'batch' ? 0.5 : 1),
      worstCase: () => 1,
      simulated: () => simulated,
    },
  };
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  if (more.typed !== undefined) stdin.end(`${more.typed}\n`);
  const context = {
    stdin,
    stdout,
    stderr: new PassThrough(),
    env: {},
    colorDepth: 1,
    bundle: new URL('file:///'),
    args: [],
    definitions: () => [],
  };
  const options: ApprovalOptions = {
    force: new Set(),
    retryFailed: false,
    yes: false,
    maxCost: undefined,
    interactive: more.typed !== undefined,
    context,
    secrets: () => undefined,
    ...more.options,
  };
  let outcome: boolean | { readonly exit: number; readonly problems: readonly Problem[] };
  try {
    outcome = await approve({ graph, ports }, more.targets ?? ['last'], options);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    outcome = { exit: error.exit, problems: error.problems };
  }
  return { outcome, asked: String(stdout.read() ?? '') };
}

const refused = { exit: 3 };
const PLAN = { force: new Set<string>(), retryFailed: false };
const NO_CALLS = { calls: 0, inputTokens: 0, outputTokens: 0, outputTokensAtMost: 0 };
const lateInput = { words: { arity: 'one' as const, nodes: [{ label: '', node: 'count' }] } };

// 500 calls of $0.02 are $10.
describe('an approval', () => {
  it.each<[string, Case, boolean | object]>([
    ['$10 where $1 needs none', {}, refused],
    ['$10 where $10 needs none', { confirmAbove: 10 }, false],
    ['$10 where $9.99 needs none', { confirmAbove: 9.99 }, refused],
    [
      '$10 that cost half in batches where $5 needs none',
      { providers: [BATCHING], confirmAbove: 5, options: { lane: 'batch' } },
      false,
    ],
    ['$10 that would cost half in batches', { providers: [BATCHING], confirmAbove: 5 }, refused],
    ['with --yes', { options: { yes: true } }, true],
    ['with a cap', { options: { maxCost: 0 } }, true],
    ['of simulated money', { simulated: true }, false],
    ['of money at no cost', { price: 0, confirmAbove: 0 }, false],
    ['where all providers are simulators', { providers: [provider({ type: 'simulator' })] }, true],
    ['by somebody who says y', { typed: 'y' }, true],
    ['by somebody who says Yes', { typed: ' Yes ' }, true],
    ['by somebody who says no', { typed: 'n' }, refused],
    ['by somebody who says nothing', { typed: '' }, refused],
    ['by somebody who says yesterday', { typed: 'yesterday' }, refused],
    ['by nobody', { options: { interactive: false } }, refused],
  ])('%s', async (_, made, expected) => {
    const { outcome } = await ask(made);
    if (typeof expected === 'boolean') expect(outcome).toBe(expected);
    else expect(outcome).toMatchObject(expected);
  });

  it('asks with the calls and the dollars, and only where somebody is there and above the limit', async () => {
    expect((await ask({ typed: 'y' })).asked).toContain('500 calls for about $10.00 (at most $25.00). Go on? [y/N]');
    expect((await ask({ typed: 'y', confirmAbove: 10 })).asked).toBe('');
    expect((await ask({ typed: 'y', options: { yes: true } })).asked).toBe('');
  });

  it('says what it would have cost', async () => {
    const { outcome } = await ask({});
    expect(outcome).toMatchObject({
      exit: 3,
      problems: [
        {
          headline: 'this build is expected to cost $10.00, and nobody has approved it',
          facts: [
            ['calls', '500'],
            // Guessed, so from half of it up to answers as long as their cap.
            ['dollars', '$5.00 to $25.00'],
          ],
        },
      ],
    });
  });
});

describe('a trial', () => {
  it.each([
    [50, 1, false],
    [50, 0.99, refused],
    [25, 0.5, false],
    [500, 10, false],
    // More than there are is no more than all.
    [5000, 10, false],
    [5000, 9.99, refused],
    [0, 0, false],
  ])('of %i of 500 calls of ten dollars, where %d dollars need no approval', async (calls, confirmAbove, expected) => {
    const { outcome } = await ask({ confirmAbove, options: { calls } });
    if (typeof expected === 'boolean') expect(outcome).toBe(expected);
    else expect(outcome).toMatchObject(expected);
  });

  it('asks for its share', async () => {
    const { outcome } = await ask({ confirmAbove: 0.5, options: { calls: 50 } });
    expect(outcome).toMatchObject({ problems: [{ headline: expect.stringContaining('expected to cost $1.00,') }] });
  });
});

describe('before an approval', () => {
  it('keys are asked for, of the providers that would be asked', async () => {
    const keyed = { ...HOSTED, keyVariable: VARIABLE };
    const other = provider({ name: 'other', identity: 'http://other', keyVariable: 'OTHER_KEY' });
    const { outcome } = await ask({ providers: [keyed, other], options: { yes: true } });
    expect(outcome).toEqual({
      exit: 2,
      problems: [
        expect.objectContaining({
          headline: `provider "lab" needs a key, and the environment variable ${VARIABLE} is not set`,
          facts: [['calls planned', '500']],
        }),
      ],
    });
    const hintWith = async (profiles?: readonly string[]) => {
      const { outcome } = await ask({ providers: [keyed], ...(profiles === undefined ? {} : { profiles }) });
      return typeof outcome === 'boolean' ? undefined : outcome.problems[0]?.hint;
    };
    // A profile that the pipeline lacks is no way out.
    expect(await hintWith(['main'])).toBe(`export ${VARIABLE}=…`);
    expect(await hintWith(['sim', 'full'])).toMatch(/--profile sim$/);
    const secrets = (variable: string) => (variable === VARIABLE ? 'sk-secret-enough' : undefined);
    expect((await ask({ providers: [keyed, other], options: { yes: true, secrets } })).outcome).toBe(true);
  });

  it('neither keys nor prices are asked for of a model that gets no call', async () => {
    const world = toyWorld();
    const ports = world.ports();
    const answers = ports.kinds.get('answers')!;
    const kind = {
      ...answers.kind,
      expect: () => ({ items: 0, calls: [{ ...NO_CALLS, model: { ...TOY_MODEL, identity: 'idle', model: 'idle' } }] }),
    };
    const kinds = new Map(ports.kinds).set('answers', { ...answers, kind: kind as RegisteredKind['kind'] });
    // The words are of an unknown number, so all that is known of the answers is what the kind expects.
    const graph = toyGraph({ words: ['one'] });
    const late = { ...graph.nodes.get('answers/b')!, name: 'late', inputs: lateInput };
    const nodes = new Map([...graph.nodes, ['late', late] as const]);
    const idle = provider({ name: 'idle', identity: 'idle', keyVariable: 'IDLE_KEY' });
    const plan = await makePlan({ ...graph, nodes }, ['late'], PLAN, { ...ports, kinds });
    expect(plan.nodes.at(-1)).toMatchObject({ node: 'late', models: [{ identity: 'idle', calls: 0 }] });
    expect(plan).toMatchObject({ unpriced: [], models: [expect.objectContaining({ identity: 'toy' })] });
    const { outcome } = await ask({
      providers: [HOSTED, idle],
      options: { yes: true },
      kinds,
      nodes,
      targets: ['late'],
    });
    expect(outcome).toBe(true);
  });

  it('prices are asked for', async () => {
    const { outcome } = await ask({ price: undefined, options: { yes: true } });
    expect(outcome).toMatchObject({
      exit: 2,
      problems: [{ headline: 'no price is known for the model parrot, so nothing is bought from it' }],
    });
  });

  it('nothing is asked for where everything is built, unless it is forced or asked again', async () => {
    const world = toyWorld();
    const words = Array.from({ length: 250 }, (_, index) => `word${index}`);
    await world.build(toyGraph({ words }));
    const keyed = { providers: [{ ...HOSTED, keyVariable: VARIABLE }], price: undefined, world };
    expect((await ask(keyed)).outcome).toBe(true);
    // Every reply is stored, so this costs nothing either; it is below what needs an approval.
    expect((await ask({ ...keyed, options: { force: new Set(['answers/a']) } })).outcome).toBe(false);
    expect((await ask({ ...keyed, options: { retryFailed: true } })).outcome).toBe(false);
  });
});

it('the rule alone: a cap or a yes approves anything, small money needs neither, and an unknown sum is never small', () => {
  const given = { yes: false, maxCost: undefined };
  expect([0, 1, 1.01, null].map((expected) => approvalOf(expected, 1, given))).toEqual([
    'small',
    'small',
    'needed',
    'needed',
  ]);
  expect(approvalOf(null, 1, { yes: true, maxCost: undefined })).toBe('approved');
  expect(approvalOf(null, 1, { yes: false, maxCost: 0 })).toBe('approved');
});

it('what nobody has approved may be spent up to `confirm_above`, and no further', () => {
  const { budget } = toyGraph();
  const asked = { ...budget, confirmAbove: 2 };
  expect([unaskedDollars(false, asked), unaskedDollars(true, asked)]).toEqual([2, undefined]);
});
