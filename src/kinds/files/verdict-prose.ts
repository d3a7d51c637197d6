/** What a judge says in words beside its JSON: another number, that it does not judge, or that it shows a form. */

/** Words that put a number forward as the verdict; `a score of 5 would need …` speaks of the rubric. */
const SCORES: readonly RegExp[] = [
  /\b(?:score|rating|grade|verdict)[*_"'`]*\s*(?::|=|→|is|would be)\s*[*_"'`]*\s*([+-]?\d+(?:\.\d+)?)(?![\w.]*\d)(?!\s*(?:to|-|–)\s*\d)/gi,
  /\bI(?:'d| would| will|'ll)?\s+(?:give|rate|score|grade)\s+(?:(?:this|the)\s+\w+|it|this)\s+(?:an?|as|at|with)?\s*[*_"'`]*([+-]?\d+(?:\.\d+)?)(?![\w.]*\d)/gi,
];

const WINNERS: readonly RegExp[] = [
  /\bwinner[*_"'`]*\s*(?::|=|→|is|would be)\s*[*_"'`]*(?:response[ _]?)?(A|B|tie)\b/gi,
  /\bresponse[ _]?(A|B)\s+(?:is\s+(?:the\s+)?(?:better|winner)|wins)\b/gi,
];

/** First person, and of judging: what an answer could not do is a reason like any other, and so is `no higher than 3`. */
const REFUSES =
  /\bI(?:'m|\s+am|\s+must|\s+have\s+to)?\s+(?:sorry\b[^.{}]{0,40}\b)?(?:can\s?not|can't|could\s?not|couldn't|unable\s+to|not\s+able\s+to|won't|will\s+not|refuse\s+to|decline\s+to)\s+(?:\w+\s+){0,3}?(?:score|rate|grade|judge|evaluate|assess|compare|give)\b(?![^.\n]*\b(?:higher|above|more|better|lower|below|less|full|top|highest|perfect)\b)/i;

/** What introduces a form, and no verdict: `in the requested format:` introduces one. */
const SHOWS =
  /(?<!\bin\s(?:\w+\s){0,3})(?:\bformat|\bexample|\be\.g\.?|\bsuch as|\bfor instance|\blooks? like|\btemplate|\bschema)\b[^{}.\n]{0,40}$/i;

const found = (prose: string, patterns: readonly RegExp[]): readonly string[] =>
  patterns.flatMap((pattern) => Array.from(prose.matchAll(pattern), (match) => match[1]!));

/** Scores that the words put forward. */
export const scoresInProse = (prose: string): readonly number[] => found(prose, SCORES).map(Number);

/** Winners that the words put forward, as JSON names them. */
export const winnersInProse = (prose: string): readonly string[] =>
  found(prose, WINNERS).map((name) => (name.length === 1 ? name.toUpperCase() : name.toLowerCase()));

/** Whether the judge says that it does not judge. */
export const refusesInProse = (prose: string): boolean => REFUSES.test(prose);

/** Whether what follows these words is a form to be filled in, or an example of one. */
export const isShownAfter = (before: string): boolean => SHOWS.test(before);
