/** What a provider file says of batches, and what is known without it. */

import { z } from 'zod';
import { BATCH_APIS, type BatchApiName, type BatchSettings, LANES } from '../core/batch.ts';
import type { ProtocolName } from '../core/call.ts';
import type { Provider } from '../core/graph.ts';

const count = z.int().min(1);

/** How calls are bought. */
export const laneName = z.enum(LANES as ['online', 'batch']);

/** `false` for a provider that is to make no batches. */
export const batchEntry = z.union([
  z.literal(false),
  z.strictObject({
    /** The shape of its batch API; needed where the provider's address does not tell. */
    api: z.enum(BATCH_APIS).optional(),
    /** The Fireworks account. */
    account: z
      .string()
      .regex(/^[A-Za-z0-9_-]+$/, 'must be the name of an account')
      .optional(),
    /** Where batches are sent, where that is not below `base_url:`. */
    base_url: z.url().optional(),
    /** The most requests, and bytes of input, of one batch. */
    rows: count.optional(),
    bytes: count.optional(),
    /** Prompt tokens that may be out for one model at once, by the account's tier. */
    enqueued_tokens: count.optional(),
    /** It gives the log probabilities of prompts in batches. */
    echo: z.boolean().default(false),
    /** The share of the online price, where the price table does not say. */
    price: z.number().min(0).max(1).default(0.5),
    poll_seconds: z.number().gt(0).optional(),
    grace_seconds: z.number().min(0).default(120),
    patience_seconds: z.number().min(0).default(1800),
  }),
]);

/** Larger inputs are split: one is held in memory while it is sent. */
const LARGEST_INPUT = 64 * 1024 * 1024;

/** What may be asked for beyond that: Fireworks takes larger inputs in pieces, and any number of rows. */
const MOST: Readonly<Partial<Record<BatchApiName, Pick<BatchSettings, 'rows' | 'bytes'>>>> = {
  fireworks: { rows: 1_000_000, bytes: 500_000_000 },
};

const LIMITS: Readonly<Record<BatchApiName, Pick<BatchSettings, 'rows' | 'bytes'>>> = {
  openai: { rows: 50_000, bytes: LARGEST_INPUT },
  anthropic: { rows: 100_000, bytes: LARGEST_INPUT },
  fireworks: { rows: 100_000, bytes: LARGEST_INPUT },
};

/** Seconds between the first two looks at a batch. */
const POLL_SECONDS = 10;
/** The simulator is done in a moment. */
const SIMULATED_POLL_SECONDS = 0.2;

/** The batches of a provider; undefined where it makes none, or nobody says which. */
export function batchSettings(
  written: z.infer<typeof batchEntry> | undefined,
  {
    type,
    protocol,
    baseUrl,
  }: {
    readonly type: Provider['type'];
    readonly protocol: ProtocolName | undefined;
    readonly baseUrl: string | undefined;
  },
): BatchSettings | undefined {
  if (written === false) return undefined;
  const api = written?.api ?? knownApi(type, protocol, baseUrl);
  if (api === undefined) return undefined;
  const {
    echo,
    price,
    grace_seconds: graceSeconds,
    patience_seconds: patienceSeconds,
    ...rest
  } = written ?? batchDefaults;
  if (api === 'fireworks' && rest.account === undefined && rest.base_url === undefined) return undefined;
  const limits = LIMITS[api];
  const most = MOST[api] ?? limits;
  const at = rest.base_url ?? (rest.account === undefined ? undefined : accountUrl(baseUrl, rest.account));
  return {
    api,
    ...(at === undefined ? {} : { baseUrl: at }),
    rows: Math.min(rest.rows ?? limits.rows, most.rows),
    bytes: Math.min(rest.bytes ?? limits.bytes, most.bytes),
    ...(rest.enqueued_tokens === undefined ? {} : { enqueuedTokens: rest.enqueued_tokens }),
    echo,
    price,
    pollSeconds: rest.poll_seconds ?? (type === 'simulator' ? SIMULATED_POLL_SECONDS : POLL_SECONDS),
    graceSeconds,
    patienceSeconds,
  };
}

const batchDefaults = batchEntry.options[1].parse({});

function knownApi(
  type: Provider['type'],
  protocol: ProtocolName | undefined,
  baseUrl: string | undefined,
): BatchApiName | undefined {
  if (type === 'anthropic' || protocol === 'anthropic-messages') return 'anthropic';
  if (type === 'simulator') return 'openai';
  const host = baseUrl === undefined || !URL.canParse(baseUrl) ? '' : new URL(baseUrl).hostname;
  if (host === 'api.openai.com') return 'openai';
  return host === 'api.fireworks.ai' ? 'fireworks' : undefined;
}

/** Below the provider's host; a path alone for a simulator whose address is not known yet. */
function accountUrl(baseUrl: string | undefined, account: string): string {
  const path = `/v1/accounts/${account}`;
  return baseUrl === undefined || !URL.canParse(baseUrl) ? path : `${new URL(baseUrl).origin}${path}`;
}
