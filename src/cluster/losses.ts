/** Says that Redis is gone, once for each reason: a connection that is gone says so many times a second. */

interface Losses {
  tell(error: unknown): void;
  /** Redis answers again. */
  end(): void;
}

/** @param consequence what is to be known beside the reason */
export function losses(note: (text: string) => void, consequence: string): Losses {
  let told = '';
  return {
    tell(error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== told) note(`Redis: ${text}; ${consequence}`);
      told = text;
    },
    end() {
      if (told !== '') note('Redis is back');
      told = '';
    },
  };
}
