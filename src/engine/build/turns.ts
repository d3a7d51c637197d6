/** Turns of a long loop, so that others have theirs. */

/** Items between two visits to the event loop. */
export const ITEMS_PER_TURN = 128;

export const yieldToEventLoop = () => new Promise<void>((resume) => setImmediate(resume));
