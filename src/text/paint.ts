/** Colours, or none. */

export type Colour = 'red' | 'green' | 'yellow' | 'blue' | 'cyan' | 'bold' | 'dim';

/** Wraps a text that is printable already; the identity where colours are off. */
export type Paint = (colour: Colour, text: string) => string;

const CODES: Readonly<Record<Colour, readonly [on: number, off: number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
  bold: [1, 22],
  dim: [2, 22],
};

export function painter(color: boolean): Paint {
  if (!color) return (_, text) => text;
  return (colour, text) => {
    const [on, off] = CODES[colour];
    return text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;
  };
}
