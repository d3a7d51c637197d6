/** Normal and Student distributions, to about 1e-14 relative: intervals are compared with recorded ones to 1e-9. */

/** Standard normal distribution function Φ(x). */
export function normalCdf(x: number): number {
  return x < 0 ? 0.5 * erfc(-x / Math.SQRT2) : 1 - 0.5 * erfc(x / Math.SQRT2);
}

/** Two-sided p-value of a standard normal statistic: 2(1 − Φ(|z|)), without cancellation in the tail. */
export function normalTwoSidedP(z: number): number {
  return erfc(Math.abs(z) / Math.SQRT2);
}

/** Complementary error function of x ≥ 0. Series for small x, Lentz's continued fraction beyond. */
function erfc(x: number): number {
  if (x > 27.3) return 0;
  if (x < 2.2) {
    // erf(x) = 2/√π · e^(−x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!: all terms positive, so nothing cancels.
    let term = x;
    let total = x;
    for (let n = 1; n < 200; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      total += term;
      if (term < 1e-17 * total) break;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
  }
  // erfc(x) = e^(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))), evaluated bottom up.
  let tail = 0;
  for (let k = 120; k >= 1; k--) tail = k / 2 / (x + tail);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + tail);
}

/**
 * Standard normal quantile, p in (0, 1): algorithm AS 241 (PPND16; Wichura 1988), relative error about 1e-16.
 *
 * @example
 * normalQuantile(0.975) // 1.95996
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(CENTRE_NUMERATOR, r)) / polynomial(CENTRE_DENOMINATOR, r);
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const magnitude =
    r <= 5
      ? polynomial(MIDDLE_NUMERATOR, r - 1.6) / polynomial(MIDDLE_DENOMINATOR, r - 1.6)
      : polynomial(TAIL_NUMERATOR, r - 5) / polynomial(TAIL_DENOMINATOR, r - 5);
  return q < 0 ? -magnitude : magnitude;
}

function polynomial(ascending: readonly number[], x: number): number {
  let value = 0;
  for (let i = ascending.length - 1; i >= 0; i--) value = value * x + ascending[i]!;
  return value;
}

const CENTRE_NUMERATOR = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
  33430.57558358813, 2509.0809287301227,
];
const CENTRE_DENOMINATOR = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943,
  5226.495278852546,
];
const MIDDLE_NUMERATOR = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 0.0007745450142783414,
];
const MIDDLE_DENOMINATOR = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const TAIL_NUMERATOR = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
];
const TAIL_DENOMINATOR = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
  1.421511758316446e-7, 2.0442631033899397e-15,
];

/** Student distribution function at t, df > 0 (need not be whole). */
export function studentCdf(t: number, df: number): number {
  const upper = studentUpperTail(Math.abs(t), df);
  return t < 0 ? upper : 1 - upper;
}

/** Two-sided p-value of a Student statistic; df = Infinity is the normal. */
export function studentTwoSidedP(t: number, df: number): number {
  return Number.isFinite(df) ? 2 * studentUpperTail(Math.abs(t), df) : normalTwoSidedP(t);
}

/** P(T > t) for t ≥ 0: ½ I_x(df/2, ½) with x = df/(df + t²). */
function studentUpperTail(t: number, df: number): number {
  if (df > 1e9) return 0.5 * erfc(t / Math.SQRT2);
  const a = df / 2;
  const x = df / (df + t * t);
  const y = (t * t) / (df + t * t);
  if (y === 0) return 0.5;
  // x^a (1 − x)^½ / B(a, ½); log1p keeps a·ln x exact when x is close to 1.
  const logX = x < 0.5 ? Math.log(x) : Math.log1p(-y);
  const front = Math.exp(a * logX + 0.5 * Math.log(y) - logBetaHalf(a));
  if (x < (a + 1) / (a + 2.5)) return (0.5 * front * betaFraction(x, a, 0.5)) / a;
  return 0.5 * (1 - (front * betaFraction(y, 0.5, a)) / 0.5);
}

/** ln B(a, ½). Γ(a + ½)/Γ(a) by its asymptotic series, reached from below by the recurrence. */
function logBetaHalf(a: number): number {
  let shift = 0;
  let z = a;
  while (z < 30) {
    shift += Math.log(z / (z + 0.5));
    z += 1;
  }
  const r = 1 / z;
  const r2 = r * r;
  const series =
    0.5 * Math.log(z) - r * (1 / 8 - r2 * (1 / 192 - r2 * (1 / 640 - r2 * (17 / 14336 - (r2 * 31) / 18432))));
  return 0.5 * Math.log(Math.PI) - (series + shift);
}

/** The continued fraction of the incomplete beta function (Numerical Recipes §6.4, modified Lentz). */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const guard = (v: number) => (Math.abs(v) < tiny ? tiny : v);
  let c = 1;
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; m < 20000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guard(1 + even * d);
    c = guard(1 + even / c);
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guard(1 + odd * d);
    c = guard(1 + odd / c);
    const step = d * c;
    h *= step;
    if (Math.abs(step - 1) < 1e-16) break;
  }
  return h;
}

/** Student quantile, p in (0, 1); df > 0 need not be whole, Infinity is the normal. Newton on the upper tail. */
export function studentQuantile(p: number, df: number): number {
  if (!Number.isFinite(df) || df > 1e9) return normalQuantile(p);
  if (p === 0.5) return 0;
  if (p < 0.5) return -studentQuantile(1 - p, df);
  const tail = 1 - p;
  let low = 0;
  let high = Math.max(1, normalQuantile(p));
  while (studentUpperTail(high, df) > tail) {
    low = high;
    high *= 2;
  }
  let t = (low + high) / 2;
  const logScale = -logBetaHalf(df / 2) - 0.5 * Math.log(df);
  for (let i = 0; i < 200; i++) {
    const excess = studentUpperTail(t, df) - tail;
    if (excess > 0) low = t;
    else high = t;
    const density = Math.exp(logScale - ((df + 1) / 2) * Math.log1p((t * t) / df));
    let next = t + excess / density;
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (Math.abs(next - t) <= 1e-15 * Math.abs(t)) return next;
    t = next;
  }
  return t;
}
