/** Completions and chats as the pipeline asks for them: does an answer come, and is it what a stage can use? */

import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Listing } from '../core/protocol.ts';
import { chatProtocolOf } from '../protocols/chat-protocols.ts';
import { protocolAt } from '../protocols/index.ts';
import { verifiedFamily } from '../teacher-forcing/verified-templates.ts';
import { doubledStart, gaveRow, type ProbeDialect, settledRow } from './dialect.ts';
import { knownServer } from './known-servers.ts';
import { type Check, check, failureText, lastReply, type Probe, type RowResult } from './probe.ts';
import { PLAIN, QUESTION, type Use } from './probe-targets.ts';

/** What came of one use, and what a later probe may go on from. */
export interface Examined {
  readonly checks: readonly Check[];
  readonly result: RowResult;
}

/** A template from a file of the user's is rendered as it is; whether it is the model's own, nobody but its digest says. */
function templateCheck({ ref: { dialect } }: ProbeDialect): Check[] {
  if (dialect.jinja === undefined) return [];
  const family = verifiedFamily(dialect.jinja.source);
  if (family !== undefined)
    return [check('template', 'ok', `the file's template is that of ${family}, and is rendered as there`)];
  const hint = "compare a rendered prompt with the model's own: 'cje show' of a response has it";
  return [check('template', 'note', 'unverified: the template of the file is rendered as it is', hint)];
}

/** A server that renders a rendered prompt again answers another prompt than the one that is forced. */
function renderedTwice(raw: JsonObject | undefined, identity: string, listing: Listing | undefined): Check[] {
  const server = knownServer({ raw, message: undefined, identity, listing });
  if (server?.rendersAgain !== true) return [];
  const detail = `${server.name} puts the model's chat template around a prompt that is rendered already`;
  return [check('rendering', 'failure', detail, 'another server is needed: vLLM, SGLang, Fireworks')];
}

export function* examineCompletion(
  use: Use,
  probeDialect: ProbeDialect,
  listing: Listing | undefined,
): Probe<Examined> {
  const result = yield* settledRow(use, PLAIN, probeDialect);
  const asked = askedFor(result);
  const checks: Check[] = [];
  const { row, failure } = result;
  if (failure !== undefined)
    checks.push(check('completion', 'failure', failureText(failure), failureHint(failure.reason)));
  else if (row?.status === 'empty_response') {
    checks.push(
      check(
        'completion',
        'warning',
        `answers with no text (${asked})`,
        "is 'template:' the model's own chat template?",
      ),
    );
  } else if (!gaveRow(result)) checks.push(check('completion', 'failure', `comes to ${String(row?.status)}`));
  else {
    const cut = wasCut(result);
    checks.push(check('completion', 'ok', `answers (${asked})`));
    if (cut) {
      checks.push(
        check(
          'end of turn',
          'note',
          'the answer to a one-word question went on until it was cut',
          "if that is not the model's way, 'template:' may not be its own",
        ),
      );
    }
  }
  const twice = doubledStart(result, probeDialect.ref.dialect);
  if (twice !== undefined) checks.push(check('bos', 'failure', twice, 'the server itself writes it twice'));
  checks.push(...templateCheck(probeDialect));
  checks.push(...renderedTwice(lastReply(result), probeDialect.ref.identity, listing));
  return { checks: [...checks, ...usageCheck(result)], result };
}

export function* examineChat(use: Use, probeDialect: ProbeDialect): Probe<Examined> {
  const result = yield* settledRow(use, QUESTION, probeDialect);
  const asked = askedFor(result);
  const name = 'verdict';
  const { row, failure } = result;
  const checks: Check[] = [];
  if (failure !== undefined && wasCut(result)) {
    checks.push(unreadable(failure.reason, result, probeDialect, asked));
  } else if (failure !== undefined) {
    const schema = /response_format|json_schema|structured|guided/i.test(failureText(failure));
    checks.push(check(name, 'failure', failureText(failure), schema ? TAKES : failureHint(failure.reason)));
  } else if (gaveRow(result) && typeof row?.response === 'string') {
    // A policy that speaks chat gives an answer, and no verdict.
    checks.push(check('answer', 'ok', `${quoted(row.response)} (${asked})`));
  } else if (gaveRow(result)) {
    const value = [row?.score, row?.label].find((number) => typeof number === 'number');
    checks.push(check(name, 'ok', `${Number(Number(value).toFixed(4))} on the unit scale (${asked})`));
  } else checks.push(unreadable(String(row?.status), result, probeDialect, asked));
  return { checks: [...checks, ...usageCheck(result)], result };
}

/** What a server takes in place of a JSON schema is said once, for all judges that it serves. */
const TAKES = "say what the server takes at the model, in the provider file: 'json: object', or 'json: none'";
/** Of a model that was asked in words. */
const PLAIN_TEXT = "ask for a number in plain text, with 'read: text' in the judge's file, or take another model";

function unreadable(status: string, result: RowResult, { ref }: ProbeDialect, asked: string): Check {
  const decoded = chatProtocolOf(ref).decode(lastReply(result));
  const text = (decoded.ok ? decoded.value.content : null) ?? '';
  if (wasCut(result)) {
    const detail = `${status}: the answer was cut after ${asked}`;
    return check(
      'verdict',
      'failure',
      detail,
      "raise 'max_tokens' in the judge's file; a model that reasons spends it on that",
    );
  }
  const format = schemaIn(result);
  const hint =
    status !== 'unparseable'
      ? undefined
      : format === undefined
        ? `the model does not keep to the JSON that it is asked for: ${PLAIN_TEXT}`
        : `the server does not hold the model to ${format}: ${TAKES}`;
  return check('verdict', 'failure', `${status}: ${text === '' ? 'no text' : quoted(text)} (${asked})`, hint);
}

/** The longest part of an answer that is shown. */
const EXCERPT = 60;
const quoted = (text: string): string => JSON.stringify(text.length <= EXCERPT ? text : `${text.slice(0, EXCERPT)}…`);

/** The settings that the last request of a row carried, beside what it said. */
function askedFor({ exchanges }: RowResult): string {
  const body = exchanges.at(-1)?.request.body ?? {};
  const names = ['temperature', 'top_p', 'max_tokens', 'max_completion_tokens'];
  const settings = names.flatMap((name) => (body[name] === undefined ? [] : [`${name} ${String(body[name])}`]));
  const { response_format: format } = body;
  if (isJsonObject(format)) settings.push(String(format.type));
  else if (isJsonObject(body.tool_choice)) settings.push('a tool with the schema');
  return settings.join(', ');
}

/** How the last request of a row asked for a schema, in its API's words. */
function schemaIn({ exchanges }: RowResult): string | undefined {
  const body = exchanges.at(-1)?.request.body ?? {};
  if (isJsonObject(body.response_format)) return `response_format ${String(body.response_format.type)}`;
  return isJsonObject(body.tool_choice) ? 'the tool that it must use' : undefined;
}

/** Whether the last answer reached the cap of its tokens. */
function wasCut({ exchanges }: RowResult): boolean {
  const last = exchanges.at(-1);
  return last?.reply.ok === true && protocolAt(last.request.path).endOf(last.reply.raw) === 'length';
}

function usageCheck({ exchanges }: RowResult): Check[] {
  const last = exchanges.at(-1);
  if (last === undefined || !last.reply.ok) return [];
  if (protocolAt(last.request.path).usageOf(last.reply.raw) !== undefined) return [];
  return [
    check('usage', 'warning', 'the reply counts no tokens', 'a budget then takes each call at the most it can come to'),
  ];
}

/** What to do about a failure that no dialect mends. */
export function failureHint(reason: string): string | undefined {
  switch (reason) {
    case 'bad_key':
      return 'the key was refused: is the variable set to a key of this provider?';
    case 'no_credit':
      return 'the account has no credit, or has reached its spending limit';
    case 'moved':
      return 'is base_url right? Redirects are not followed';
    case 'untrusted':
      return 'name the certificate of whoever signed it under ca_file:, or in NODE_EXTRA_CA_CERTS';
    case 'not_allowed':
      return 'is base_url right, and may this key use the model?';
    case 'unknown_model':
      return "put a model that the provider serves under 'model:'";
    case 'engine_lost':
      return 'is the model file whole, and is there memory for it?';
    case 'connection':
      return 'is the server running, and is base_url right?';
    case 'rate_limited':
    case 'overloaded':
      return 'try again later';
    case 'key_repeated':
      return 'the server writes its key into what it answers: mend that there, or take another key where it is a word';
    case 'malformed_reply':
      return 'the reply has a shape that cje does not read';
    default:
      return undefined;
  }
}
