/** The response's tokens where prompt and response were sent as token ids: no text decides anything. */

import type { Alignment, AlignOptions, Echo, SentIds } from './echo.ts';

/** The server may have prepended one token of its own; all that follows must be what was sent. */
export function alignIds(
  { tokenIds, tokens }: Echo,
  sent: SentIds,
  { bosToken, extraTokens, counts }: AlignOptions,
): Alignment {
  if (tokenIds === undefined) return { status: 'shape', detail: 'the echo has no token ids' };
  const expected = [...sent.prompt, ...sent.response];
  const [first, second] = tokenIds;
  const prepended = first !== expected[0] && second === expected[0] ? 1 : 0;
  if (prepended === 1 && bosToken !== null && tokens[0] !== bosToken && tokens[0] !== '') {
    return { status: 'retokenized', detail: `token 0 is ${first}, sent was ${expected[0]}` };
  }
  const doubled = first === second && expected[0] === first && expected[1] !== first;
  if (doubled || (bosToken !== null && tokens[0] === bosToken && tokens[1] === bosToken)) {
    return { status: 'bos', detail: `two ${bosToken ?? `tokens ${first}`}` };
  }
  const end = prepended + expected.length;
  if (tokenIds.length < end) {
    return { status: 'echo_cut', detail: `${tokenIds.length - prepended} of ${expected.length} tokens were echoed` };
  }
  const differs = expected.findIndex((id, index) => tokenIds[prepended + index] !== id);
  if (differs !== -1) {
    return {
      status: 'retokenized',
      detail: `token ${differs} is ${tokenIds[prepended + differs]}, sent was ${expected[differs]}`,
    };
  }
  const most = counts?.separate === true ? 0 : Math.max(extraTokens, counts?.generated ?? 0);
  if (tokenIds.length > end + most) {
    return { status: 'shape', detail: `${tokenIds.length - end} tokens after the text` };
  }
  return { status: 'ok', from: prepended + sent.prompt.length, to: end };
}
