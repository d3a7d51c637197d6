/** Random numbers that are a pure function of a seed and a stream: any worker can make any replicate's numbers. */
interface RandomSource {
  /** Uniform on [0, 1), 53 bits. */
  uniform(): number;
  /** Exponential with mean 1. */
  exponential(): number;
  /** Standard normal. */
  normal(): number;
}

/**
 * The sfc32 generator (Doty-Humphrey's "small fast counting" generator, 32-bit words; passes PractRand), its 96 bits of
 * state filled from (seed, stream) by splitmix32 steps and its first 12 outputs thrown away, as its author asks.
 */
export function randomSource(seed: number, stream: number): RandomSource {
  let mixer = (seed ^ Math.imul(stream, 0x9e3779b9)) >>> 0;
  const fill = () => {
    mixer = (mixer + 0x9e3779b9) >>> 0;
    let z = mixer;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let a = fill();
  let b = (fill() ^ stream) >>> 0;
  let c = (fill() ^ seed) >>> 0;
  let counter = 1;
  const word = () => {
    const out = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + out) >>> 0;
    return out;
  };
  for (let i = 0; i < 12; i++) word();
  const uniform = () => (word() * 2 ** 21 + (word() >>> 11)) / 2 ** 53;
  return {
    uniform,
    exponential: () => -Math.log1p(-uniform()),
    // Box and Muller's cosine branch: one normal for two uniforms, no state between calls.
    normal: () => Math.sqrt(-2 * Math.log1p(-uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}
