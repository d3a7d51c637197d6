/** The provider file of a profile: who serves which model, at which limits and prices. */

import { z } from 'zod';
import type { Dialect, ModelRef, ProtocolName, TemplateFile } from '../core/call.ts';
import { priceOf } from '../core/cost.ts';
import type { Limits, ModelLane, PriceTable, Provider, ProviderAccess } from '../core/graph.ts';
import type { JsonObject } from '../core/json.ts';
import type { LocalModel, ReadModelFile } from '../core/local-engine.ts';
import { type KnownPrice, type PriceEntry, pricesFile, priceTableOf, withIdentities } from '../core/prices.ts';
import type { ServedModel } from '../core/served-model.ts';
import { batchEntry, batchSettings, laneName } from './batch-settings.ts';
import type { Files } from './files.ts';
import { reportIssues } from './issues.ts';
import { engineOptions, localIdentity, localProvider, readLocalModel } from './local-model.ts';
import { type Facts, type Problems, suggest } from './problems.ts';
import { placeOf, pointTo, type Span } from './source.ts';
import { endOfTurnIn, isTemplateFile, readTemplateFile } from './template-file.ts';
import { entriesOf, entry, member, plain, type Tree } from './tree.ts';

const positive = z.number().gt(0);
const count = z.int().min(1);
const jsonObject = z.record(z.string(), z.json());

const SECRET_KEYS = ['key', 'keys', 'key_command', 'headers', 'base_url'];

const variable = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, 'must be the name of an environment variable, never the credential itself');

/** Headers that are written for each request, or that would break it. */
const OWN_HEADERS =
  /^(authorization|accept|accept-encoding|connection|content-.*|host|idempotency-key|keep-alive|transfer-encoding|upgrade|expect|te|trailer)$/i;
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'must be the name of a header')
  .refine((name) => !OWN_HEADERS.test(name), "is a header that cje writes itself; a credential goes under 'key:'");
const headerValue = z.string().regex(/^[\x20-\x7e]*$/, 'must be plain printable text');

const access = {
  /** Variables in the order of use: the next one takes over when one is refused. */
  keys: z.array(variable).min(1).optional(),
  /** Prints the credential: a text for the shell, or a program and its arguments. */
  key_command: z.union([z.string().min(1), z.array(z.string()).min(1)]).optional(),
  key_header: headerName.optional(),
  headers: z.record(headerName, headerValue).optional(),
  query: z.record(z.string().min(1), z.string()).optional(),
  organization: headerValue.optional(),
  project: headerValue.optional(),
  ca_file: z.string().min(1).optional(),
};

const limits = {
  /** The API that is spoken; `openai` stands for its chat and its completions. By default the one of the type. */
  protocol: z.enum(['openai', 'anthropic-messages']).optional(),
  requests_per_minute: positive.optional(),
  tokens_per_minute: positive.optional(),
  /** The most calls in flight at once. */
  concurrency: count.default(32),
  timeout_seconds: positive.default(120),
  /** Tries in all for one call. */
  attempts: count.default(6),
  /** What the provider is called in keys; by default its normalised base URL. */
  identity: z.string().min(1).optional(),
  /** Its batches: what nobody but the account's owner knows of them; false for none. */
  batch: batchEntry.optional(),
  options: jsonObject.default({}),
};

const address = z.string().superRefine((url, context) => {
  const trouble = urlTrouble(url);
  if (trouble !== undefined) context.addIssue({ code: 'custom', message: trouble });
});

/** The name of an environment variable; absent for servers that ask for no credential. */
const key = variable.optional();

const provider = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('openai'),
    base_url: address,
    key,
    ...access,
    ...limits,
  }),
  z.strictObject({
    type: z.literal('anthropic'),
    base_url: address.default('https://api.anthropic.com/v1'),
    key,
    ...access,
    ...limits,
  }),
  z.strictObject({ type: z.literal('simulator'), base_url: z.string().optional(), ...limits }),
  localProvider,
]);
type WrittenProvider = z.infer<typeof provider>;

const model = z.strictObject({
  provider: z.string(),
  /** How its calls are bought, unless a stage says it. */
  lane: laneName.optional(),
  /** The name under which the provider knows it. */
  model: z.string().min(1),
  /** The name of a chat template, or the model's own: its `tokenizer_config.json`, or a file of Jinja. */
  template: z.string().default('none'),
  /** The SHA-256 that the file of the template must have. */
  template_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits')
    .optional(),
  /** What the template is rendered with, such as `enable_thinking: false`. */
  template_variables: jsonObject.optional(),
  /** The beginning-of-text token, where the file of the template does not tell it; null for none. */
  bos_token: z.string().min(1).nullable().optional(),
  bos: z.enum(['server', 'prompt']).default('server'),
  token_limit: z.enum(['max_tokens', 'max_completion_tokens']).default('max_tokens'),
  temperature: z.boolean().default(true),
  echo_tokens: z.union([z.literal(0), z.literal(1)]).default(0),
  /** Keep the tokens of what is generated, force them in this way, and compare. Absent: nothing is kept. */
  forcing: z.enum(['ids', 'generate', 'text', 'chat']).optional(),
  /** How a reply of a JSON schema is asked for: by the schema, as any JSON object, or in words alone. */
  json: z.enum(['schema', 'object', 'none']).default('schema'),
  extra: jsonObject.default({}),
  /** Names under which it may answer, beside its own. */
  answers_as: z.array(z.string().min(1)).default([]),
  /** What becomes of a reply of another model. */
  model_mismatch: z.enum(['refuse', 'note']).default('refuse'),
  /** Two served snapshots in one node are a failure. */
  one_snapshot: z.boolean().default(false),
});

/** The written form of a provider file. */
export const providerFile = z.strictObject({
  providers: z.record(z.string(), provider),
  models: z.record(z.string(), model).default({}),
  /** A price table: the path of one, or the table itself. */
  prices: z.union([z.string(), pricesFile]).optional(),
});

export interface Market {
  readonly providers: readonly Provider[];
  /** By alias; undefined for a model whose own declaration is at fault. */
  readonly models: ReadonlyMap<string, ModelRef | undefined>;
  /** Those of which the file says under which names they answer. */
  readonly served: readonly ServedModel[];
  /** Those of which the file says how their calls are bought. */
  readonly lanes: readonly ModelLane[];
  readonly prices: PriceTable;
  /** Prices of models that the table does not name. */
  readonly otherPrices: readonly OtherPrice[];
  /** Models of real providers that have no price yet, as nobody knows other prices. */
  readonly unpriced: boolean;
}

export const NO_PRICES: PriceTable = { date: '', models: {} };
export const NOTHING_PRICED = { prices: NO_PRICES, otherPrices: [], unpriced: false } as const;

/** Nobody is paid for what this machine computes. */
const FREE: PriceEntry = { input: 0, output: 0, source: 'this machine' };

interface OtherPrice {
  readonly identity: string;
  readonly model: string;
  readonly price: PriceEntry;
}

interface MarketOptions {
  /** What the simulator with these options is called in keys. */
  readonly simulatorIdentity: (options: JsonObject) => string;
  /** Names of chat templates; unchecked when absent. */
  readonly templates?: readonly string[] | undefined;
  readonly modelFile?: ReadModelFile | undefined;
  /** Asked for what the price table does not name. */
  readonly knownPrice?: KnownPrice | undefined;
}

/** Reads a provider file; undefined when it cannot be read at all. Every mistake is added to `problems`. */
export function readMarket(
  written: Tree,
  files: Files,
  problems: Problems,
  facts: Facts,
  options: MarketOptions,
): Market | undefined {
  const file = files.open(written, 'a provider file', facts);
  const tree = file === undefined ? undefined : files.yaml(file.path, file.source);
  if (tree === undefined) return undefined;
  const parsed = providerFile.safeParse(plain(tree));
  if (!parsed.success) {
    reportIssues(parsed.error, { tree, schema: providerFile, what: 'key', secretKeys: SECRET_KEYS }, problems);
  }
  const identities = readProviders(tree, files, problems, options.simulatorIdentity);
  const { models, served, lanes, local } = readModels(tree, identities, files, problems, options);
  const providers = [...identities.values()].flatMap((found) =>
    found === undefined ? [] : [withModels(found, local)],
  );
  return {
    providers,
    models,
    served,
    lanes,
    ...pricesWith(
      readPrices(member(tree, 'prices'), providers, files, problems),
      { models, providers },
      options.knownPrice,
    ),
  };
}

/** Providers by name; undefined for one whose declaration is at fault. */
function readProviders(
  tree: Tree,
  files: Files,
  problems: Problems,
  simulatorIdentity: (options: JsonObject) => string,
): Map<string, Provider | undefined> {
  const providers = new Map<string, Provider | undefined>();
  const owners = new Map<string, { name: string; key: Span }>();
  for (const [name, { key, value }] of entriesOf(member(tree, 'providers'))) {
    const parsed = provider.safeParse(plain(value));
    if (!parsed.success) {
      providers.set(name, undefined);
      continue;
    }
    const { data } = parsed;
    const protocol = protocolOf(data);
    const identity = data.identity ?? identityOf(data, protocol, simulatorIdentity);
    const owner = owners.get(identity);
    if (owner !== undefined) {
      problems.add(key, 'CJE-PROVIDER-TWICE', `The providers '${owner.name}' and '${name}' have one identity`, {
        facts: [
          ['identity', identity],
          ['first at', pointTo(owner.key)],
        ],
        hint: "Make them one provider, or give one an 'identity:' of its own.",
      });
    } else owners.set(identity, { name, key });
    const written = 'base_url' in data && data.type !== 'simulator' ? accessOf(data, value, files, problems) : {};
    const baseUrlWritten = 'base_url' in data ? data.base_url : undefined;
    const batch =
      data.type === 'llama'
        ? undefined
        : batchSettings(data.batch, { type: data.type, protocol, baseUrl: baseUrlWritten });
    providers.set(name, {
      name,
      type: data.type,
      ...(protocol === undefined ? {} : { protocol }),
      identity,
      ...('base_url' in data && data.base_url !== undefined ? { baseUrl: data.base_url } : {}),
      ...written,
      limits: limitsOf(data),
      ...(batch === undefined ? {} : { batch }),
      options: data.type === 'llama' ? engineOptions(data) : (data.options as JsonObject),
      place: placeOf(key),
    });
  }
  return providers;
}

/** What a provider is called in keys, unless its file says. */
function identityOf(
  data: WrittenProvider,
  protocol: ProtocolName | undefined,
  simulatorIdentity: MarketOptions['simulatorIdentity'],
): string {
  switch (data.type) {
    case 'llama':
      return localIdentity(data);
    case 'simulator':
      return [simulatorIdentity(data.options as JsonObject), ...(protocol === undefined ? [] : [protocol])].join('/');
    case 'openai':
    case 'anthropic':
      return normaliseUrl(data.base_url);
  }
}

/** An engine is handed the models that it is to run. */
function withModels(provider: Provider, local: ReadonlyMap<string, LocalModel>): Provider {
  if (provider.type !== 'llama') return provider;
  return { ...provider, options: { ...provider.options, models: Object.fromEntries(local) } };
}

function accessOf(
  data: Extract<WrittenProvider, { type: 'openai' | 'anthropic' }>,
  tree: Tree,
  files: Files,
  problems: Problems,
): Pick<Provider, 'keyVariable' | 'access'> {
  const sources = (['key', 'keys', 'key_command'] as const).filter((name) => data[name] !== undefined);
  if (sources.length > 1) {
    problems.add(
      member(tree, sources[1]!)?.span,
      'CJE-CREDENTIAL-TWICE',
      `A provider's credential comes from '${sources.join("' or '")}', not both`,
    );
  }
  const [keyVariable, ...fallbackKeys] = data.keys ?? (data.key === undefined ? [] : [data.key]);
  const caFile =
    data.ca_file === undefined ? undefined : files.open(member(tree, 'ca_file')!, 'a file of certificates');
  const headers = {
    ...(data.organization === undefined ? {} : { 'OpenAI-Organization': data.organization }),
    ...(data.project === undefined ? {} : { 'OpenAI-Project': data.project }),
    ...data.headers,
  };
  const access: ProviderAccess = {
    ...(fallbackKeys.length === 0 ? {} : { fallbackKeys }),
    ...(data.key_command === undefined ? {} : { keyCommand: data.key_command }),
    ...(data.key_header === undefined ? {} : { keyHeader: data.key_header }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(data.query === undefined ? {} : { query: data.query }),
    ...(caFile === undefined ? {} : { caFile: caFile.path }),
  };
  return {
    ...(keyVariable === undefined ? {} : { keyVariable }),
    ...(Object.keys(access).length === 0 ? {} : { access }),
  };
}

/** Undefined for OpenAI's: nothing is then added to what models say of themselves in keys. */
function protocolOf(data: WrittenProvider): ProtocolName | undefined {
  if (data.type === 'llama') return undefined;
  const { type, protocol } = data;
  const spoken = protocol ?? (type === 'anthropic' ? 'anthropic-messages' : 'openai');
  return spoken === 'openai' ? undefined : spoken;
}

function limitsOf(data: WrittenProvider): Limits {
  const { concurrency, timeout_seconds: timeoutSeconds, attempts } = data;
  const own = { concurrency, timeoutSeconds, attempts };
  if (data.type === 'llama') return own;
  return {
    ...(data.requests_per_minute === undefined ? {} : { requestsPerMinute: data.requests_per_minute }),
    ...(data.tokens_per_minute === undefined ? {} : { tokensPerMinute: data.tokens_per_minute }),
    ...own,
  };
}

function readModels(
  tree: Tree,
  providers: ReadonlyMap<string, Provider | undefined>,
  files: Files,
  problems: Problems,
  { templates, modelFile }: MarketOptions,
): Pick<Market, 'models' | 'served' | 'lanes'> & { readonly local: ReadonlyMap<string, LocalModel> } {
  const served: ServedModel[] = [];
  const lanes: ModelLane[] = [];
  const local = new Map<string, LocalModel>();
  const models = new Map<string, ModelRef | undefined>();
  for (const [alias, { value }] of entriesOf(member(tree, 'models'))) {
    models.set(alias, undefined);
    const parsed = model.safeParse(plain(value));
    if (!parsed.success) continue;
    const { data } = parsed;
    const template = entry(value, 'template')?.value;
    const isFile = isTemplateFile(data.template);
    if (template !== undefined && !isFile && data.template !== 'none' && templates?.includes(data.template) === false) {
      problems.add(template.span, 'CJE-CHAT-TEMPLATE', `There is no chat template '${data.template}'`, {
        hint: suggest(data.template, templates, 'chat template'),
      });
    }
    if (!providers.has(data.provider)) {
      problems.add(member(value, 'provider')?.span, 'CJE-UNKNOWN-PROVIDER', `There is no provider '${data.provider}'`, {
        hint: suggest(data.provider, providers.keys(), 'provider'),
      });
    }
    const jinja = isFile && template !== undefined ? readTemplateFile(template, data, files, problems) : undefined;
    const server = providers.get(data.provider);
    if (server === undefined || (isFile && jinja === undefined)) continue;
    const isLocal = server.type === 'llama';
    const own = isLocal ? readLocalModel(member(value, 'model')!, files, modelFile) : undefined;
    if (isLocal && own === undefined) continue;
    if (own !== undefined) local.set(own.id, own.model);
    const written = jinja ?? (data.template === 'none' ? templateIn(own?.model, data) : undefined);
    const forcing = data.forcing ?? (isLocal ? 'generate' : undefined);
    const dialect: Dialect = {
      // A path is no part of a question: what the file says is.
      template: written === undefined ? data.template : 'file',
      ...(written === undefined ? {} : { jinja: written }),
      bos: data.bos,
      tokenLimit: data.token_limit,
      temperature: data.temperature,
      echoTokens: data.echo_tokens,
      ...(forcing === undefined ? {} : { forcing }),
      ...(data.json === 'schema' ? {} : { json: data.json }),
      extra: data.extra as JsonObject,
    };
    const { identity, protocol } = server;
    const name = own?.id ?? data.model;
    addServed(served, identity, { ...data, model: name });
    if (data.lane !== undefined) lanes.push({ identity, model: name, lane: data.lane });
    models.set(alias, { identity, model: name, dialect, ...(protocol === undefined ? {} : { protocol }) });
  }
  return { models, served, lanes, local };
}

/** The template that a model's file brings along. */
function templateIn(
  local: LocalModel | undefined,
  { template_variables: variables = {} }: z.infer<typeof model>,
): TemplateFile | undefined {
  if (local === undefined) return undefined;
  const { template, bos, eos, special } = local.file;
  if (template === null) return undefined;
  return { source: template, bos, variables: { ...endOfTurnIn(template, eos), ...(variables as JsonObject) }, special };
}

/** Aliases of one model share their replies, so what one of them says of names holds for all. */
function addServed(rules: ServedModel[], identity: string, data: z.infer<typeof model>): void {
  const { answers_as: answersAs, model_mismatch: mismatch, one_snapshot: oneSnapshot } = data;
  if (answersAs.length === 0 && mismatch === 'refuse' && !oneSnapshot) return;
  const at = rules.findIndex((rule) => rule.identity === identity && rule.model === data.model);
  const known = rules[at];
  if (known === undefined) {
    rules.push({ identity, model: data.model, answersAs, mismatch, oneSnapshot });
    return;
  }
  rules[at] = {
    ...known,
    answersAs: [...new Set([...known.answersAs, ...answersAs])],
    mismatch: known.mismatch === 'note' ? 'note' : mismatch,
    oneSnapshot: known.oneSnapshot || oneSnapshot,
  };
}

/** The table, and beside it what is known of the prices of models that it does not name. */
function pricesWith(
  table: PriceTable,
  { models, providers }: Pick<Market, 'models' | 'providers'>,
  knownPrice: KnownPrice | undefined,
): Pick<Market, 'prices' | 'otherPrices' | 'unpriced'> {
  const otherPrices: OtherPrice[] = [];
  let unpriced = false;
  for (const ref of models.values()) {
    if (ref === undefined || priceOf(table, ref.identity, ref.model) !== undefined) continue;
    const server = providers.find(({ identity }) => identity === ref.identity);
    if (server?.type === 'llama') otherPrices.push({ identity: ref.identity, model: ref.model, price: FREE });
    if (server === undefined || server.type === 'simulator' || server.baseUrl === undefined) continue;
    if (knownPrice === undefined) unpriced = true;
    const price = knownPrice?.(server.baseUrl, ref.model);
    if (price !== undefined) otherPrices.push({ identity: ref.identity, model: ref.model, price });
  }
  if (otherPrices.length === 0) return { prices: table, otherPrices, unpriced };
  const entries = otherPrices.map(({ identity, model: name, price }) => [`${identity}/${name}`, price]);
  const others = priceTableOf({ date: table.date, models: Object.fromEntries(entries) });
  return { prices: { ...table, models: { ...others.models, ...table.models } }, otherPrices, unpriced };
}

function readPrices(
  written: Tree | undefined,
  providers: readonly Provider[],
  files: Files,
  problems: Problems,
): PriceTable {
  if (written === undefined) return NO_PRICES;
  const inline = written.type === 'map';
  const file = inline ? undefined : files.open(written, 'a price table');
  const tree = inline ? written : file === undefined ? undefined : files.yaml(file.path, file.source);
  if (tree === undefined) return NO_PRICES;
  const parsed = pricesFile.safeParse(plain(tree));
  if (!parsed.success) {
    // What stands in the provider file itself was checked, and reported, with it.
    if (inline) return NO_PRICES;
    reportIssues(parsed.error, { tree, schema: pricesFile, what: 'key' }, problems);
    return NO_PRICES;
  }
  const models = withIdentities(Object.entries(parsed.data.models), providers);
  return priceTableOf({ ...parsed.data, models: Object.fromEntries(models) });
}

function urlTrouble(written: string): string | undefined {
  if (!URL.canParse(written)) return 'must be an address such as https://api.example.com/v1';
  const url = new URL(written);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https:// or http://';
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    return "must hold no credential and no query: name an environment variable under 'key:'";
  }
  return undefined;
}

/** The address that stands for a provider in keys: lower-case host, no default port, no trailing slash. */
function normaliseUrl(written: string): string {
  const url = new URL(written);
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
}
