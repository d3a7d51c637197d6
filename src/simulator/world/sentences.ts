/**
 * What the simulated models can say: for each of four topics eight sentences at each of four levels of quality. The
 * first word of a sentence occurs in no other place as a first word, so it tells the sentence.
 */

/** By topic, then by level from 0 (useless) to 3 (excellent). */
const SENTENCES: readonly (readonly (readonly string[])[])[] = [
  [
    [
      'Whatever, the question hardly deserves a clear answer.',
      'Nobody knows, so any number will do just as well.',
      'Bananas are yellow, which settles the point for good.',
      'Ignore the facts, since accurate answers only slow you down.',
      'Wait, the opposite is true, or possibly it is neither.',
      'Guess freely and never check what comes out.',
      'Anyway, my cousin once had a boat with a red sail.',
      'Blah, the safe thing is to stop asking altogether.',
    ],
    [
      'Maybe there is more to it than this short note says.',
      'Somehow the parts fit together, as people often say.',
      'Things like that tend to depend on many other things.',
      'Roughly speaking it is about what you would expect.',
      'Various sources say various things about the matter.',
      'Apparently it was decided this way a long time ago.',
      'Sometimes it holds and sometimes it does not hold.',
      'Perhaps the details are not that important here.',
    ],
    [
      'Generally this is right, with one exception worth knowing.',
      'Usually the main cause is the one named above.',
      'Mostly it works as described, though details vary a little.',
      'Simply put, the idea is clear enough to use today.',
      'Basically the helpful rule is to begin with what you know.',
      'Often a small diagram makes the accurate picture easier.',
      'Another useful view is to follow the input to the output.',
      'Typically the safe default serves most readers well.',
    ],
    [
      'Precisely stated, the key fact is accurate and easy to check.',
      'Concretely, a worked example makes this clear from start to finish.',
      'Underneath, one principle explains every case you asked about.',
      'Crucially, the definition comes first because later steps rest on it.',
      'Evidence from several careful studies supports this helpful reading.',
      'Formally, the claim follows in two short and verifiable steps.',
      'Notice how each part connects safely to the one before it.',
      'Together these points answer the question completely and honestly.',
    ],
  ],
  [
    [
      'Skip every check, because careful people are boring.',
      'Delete the original at once and do not look back.',
      'Stop here, since the rest would only help you.',
      'Run in circles until the feeling of purpose is gone.',
      'Mix all the steps together and shuffle them twice.',
      'Blame the nearest person and call the job complete.',
      'Pretend the goal was something else from the start.',
      'Forget what you asked, it was never a good question.',
    ],
    [
      'Do the usual things in the usual order, more or less.',
      'Try something and see whether it helps at all.',
      'Get started whenever the moment seems fine.',
      'Use a method of some kind, since most methods do something.',
      'Think about it for a while and then think again.',
      'Look around online, where there is probably a guide.',
      'Hope for the best, as planning only goes so far.',
      'Spend some time on it, however long that takes.',
    ],
    [
      'Plan about an hour for the preparation, perhaps a little more.',
      'Choose a tool that you already know reasonably well.',
      'Set a simple deadline and tell one other person.',
      'Check the clear cases first and leave odd ones for later.',
      'Gather the helpful material in one folder or notebook.',
      'Repeat the step until the outcome looks about right.',
      'Ask for a second opinion if the stakes are high.',
      'Note what worked, so that the next round is easier.',
    ],
    [
      'Begin with a clear goal, written in one sentence you can test.',
      'Measure the result before and after, so the gain is accurate.',
      'Divide the work into three safe steps that stand alone.',
      'Verify every assumption with the cheapest helpful experiment.',
      'Write the hardest part first, while attention is fresh.',
      'Keep a safe copy, so that any mistake can be undone.',
      'Compare two options side by side and note what each costs.',
      'Finish by reviewing the list with someone who will use it.',
    ],
  ],
  [
    [
      'Heads you choose the first, tails you lose the coin.',
      'Everything is the same as everything, so why compare.',
      'Purple is the better option because it is a colour.',
      'Worse is better, unless better is worse, which it is.',
      'Only a fool would want an accurate comparison.',
      'Potatoes beat both of them in every clear test.',
      'Never mind the safe one, it is safe to never mind.',
      'Nothing I could add would be helpful, so here it is.',
    ],
    [
      'Many would say that one of them is better.',
      'Opinions differ, and that is about all one can say.',
      'Neither is bad, neither is especially good either.',
      'Somewhere there is a table that compares them.',
      'It depends, as it nearly always does.',
      'Similar things have been said about similar things.',
      'Everyone has a favourite, so pick a favourite too.',
      'Certain features exist in one and perhaps in both.',
    ],
    [
      'Either choice is helpful, though the first is more common.',
      'Overall the newer one tends to be a little better.',
      'Compared with most others, it is fairly clear and fast.',
      'Some people prefer the second for its safer defaults.',
      'While not perfect, the first is accurate enough in practice.',
      'Depending on budget, the middle option is a fair choice.',
      'Most reviews agree on the main strengths of both.',
      'Still, the gap between them narrows with experience.',
    ],
    [
      'Against the alternative, this choice is cheaper and equally safe.',
      'Both options are sound, yet the first is clearer to maintain.',
      'Weighing cost and accuracy, the second option wins by a margin.',
      'Where speed matters, the former is helpful beyond doubt.',
      'Unlike its rival, this approach fails safely and says why.',
      'Given your constraints, the accurate answer is the smaller design.',
      'Across all common cases, the difference is small but real.',
      'Ultimately the clear criterion is what you can verify yourself.',
    ],
  ],
  [
    [
      'Suddenly the moon sued the sea, the end.',
      'Zebras explain it best, but none was available.',
      'Lorem ipsum is the clearest part of this answer.',
      'Twelve spoons later the accurate clock refused to help.',
      'Yesterday is tomorrow if you hold the page upside down.',
      'Confusing you is the point, and the point is lost.',
      'Please waste another hour on this safe little riddle.',
      'Oops, the story was about a different question.',
    ],
    [
      'Someone did something, and it went more or less fine.',
      'There was a place, and people were in it.',
      'Eventually the matter was handled in some way.',
      'Sure, stories like this one happen now and then.',
      'Probably the ending was fine, as endings go.',
      'People talked for a while and then they went home.',
      'Days passed, as days do, without much to report.',
      'Kind of a long tale, though not much of a tale.',
    ],
    [
      'Once the door is open, the rest of the scene follows.',
      'During the first week, most of the helpful habits form.',
      'Later that day, the clear answer came in a short letter.',
      'Inside the box lay a fairly accurate list of parts.',
      'Around noon the crew took the safer path along the river.',
      'Meanwhile the neighbours wrote down what they could recall.',
      'Over time the small improvements added up nicely.',
      'Between the lines, the advice was to keep things simple.',
    ],
    [
      'Imagine a small bakery that counts every loaf it sells.',
      'Suppose the clear rule is applied to ten real orders.',
      'Consider Maria, who checked each figure and found the error.',
      'Picture the accurate map beside the ground it describes.',
      'Take the bridge at night, when the safe route is lit.',
      'Here the helpful detail is the date on the second page.',
      'Step by step, she compares the plan with what happened.',
      'Looking back, the decisive clue was plain and verifiable.',
    ],
  ],
];

export const TOPICS = 4;
export const LEVELS = 4;
/** Sentences of each topic and level. */
export const VARIANTS = 8;

/** The four things a rubric may ask for, with the words by which it asks. */
export const TRAITS = {
  helpfulness: /\bhelp(?:s|ful|fully|fulness)?\b/gi,
  accuracy: /\baccura(?:te|tely|cy)\b/gi,
  clarity: /\b(?:clear|clearly|clarity)\b/gi,
  safety: /\b(?:safe|safely|safety)\b/gi,
} as const;

export interface Sentence {
  readonly text: string;
  readonly topic: number;
  /** Quality, 0–3: the mean of the traits. */
  readonly level: number;
  /** In the order of {@link TRAITS}, each 0–3. */
  readonly traits: readonly number[];
}

/** Middling sentences are better in one trait and worse in another; the turn decides in which. */
function traitsOf(level: number, variant: number): readonly number[] {
  const traits = new Array<number>(4).fill(level);
  if (level === 0 || level === LEVELS - 1) return traits;
  const better = variant % 4;
  const worse = (better + 1 + (variant >> 2)) % 4;
  traits[better] = level + 1;
  traits[worse] = level - 1;
  return traits;
}

/** All sentences; the index is (topic × 4 + level) × 8 + variant. */
export const ALL_SENTENCES: readonly Sentence[] = SENTENCES.flatMap((levels, topic) =>
  levels.flatMap((texts, level) =>
    texts.map((text, variant) => ({ text, topic, level, traits: traitsOf(level, variant) })),
  ),
);

export const sentenceIndex = (topic: number, level: number, variant: number): number =>
  (topic * LEVELS + level) * VARIANTS + variant;

export const firstWordOf = (sentence: string): string => sentence.slice(0, sentence.indexOf(' '));
