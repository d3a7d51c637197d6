/** The little dense linear algebra that calibration and stacking need. Matrices are arrays of rows. */

/** Solves A x = b by Gaussian elimination with partial pivoting; `null` when A is singular to 1e-14 of its scale. */
export function solve(matrix: readonly ArrayLike<number>[], right: ArrayLike<number>): Float64Array | null {
  const n = right.length;
  const a = matrix.map((row, i) => {
    const copy = new Float64Array(n + 1);
    for (let j = 0; j < n; j++) copy[j] = row[j]!;
    copy[n] = right[i]!;
    return copy;
  });
  let scale = 0;
  for (const row of a) for (let j = 0; j < n; j++) scale = Math.max(scale, Math.abs(row[j]!));
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++) if (Math.abs(a[i]![column]!) > Math.abs(a[pivot]![column]!)) pivot = i;
    if (!(Math.abs(a[pivot]![column]!) > 1e-14 * scale)) return null;
    [a[column], a[pivot]] = [a[pivot]!, a[column]!];
    const lead = a[column]!;
    for (let i = column + 1; i < n; i++) {
      const row = a[i]!;
      const factor = row[column]! / lead[column]!;
      if (factor === 0) continue;
      for (let j = column; j <= n; j++) row[j]! -= factor * lead[j]!;
    }
  }
  const x = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    let value = a[i]![n]!;
    for (let j = i + 1; j < n; j++) value -= a[i]![j]! * x[j]!;
    x[i] = value / a[i]![i]!;
  }
  return x;
}

/** Sample covariance (n − 1) of the given columns, each of length n. */
export function covariance(columns: readonly ArrayLike<number>[]): Float64Array[] {
  const n = columns[0]?.length ?? 0;
  const centres = columns.map((c) => {
    let total = 0;
    for (let i = 0; i < n; i++) total += c[i]!;
    return total / n;
  });
  return columns.map((a, p) => {
    const row = new Float64Array(columns.length);
    columns.forEach((b, q) => {
      let total = 0;
      for (let i = 0; i < n; i++) total += (a[i]! - centres[p]!) * (b[i]! - centres[q]!);
      row[q] = total / (n - 1);
    });
    return row;
  });
}

interface SingularValues {
  /** Left singular vectors, one Float64Array of length m a singular value (zero vectors for zero values). */
  readonly left: readonly Float64Array[];
  readonly values: Float64Array;
  /** Right singular vectors: right[k][j] belongs to column j of the input. */
  readonly right: readonly Float64Array[];
}

/**
 * Singular value decomposition of a tall matrix given by its p columns: QR, then one-sided Jacobi rotations on the
 * p × p factor (Golub and Van Loan §8.6): accurate for the small columns that a spline basis has.
 */
export function singularValues(columns: readonly ArrayLike<number>[]): SingularValues {
  const { orthogonal, triangular } = orthogonalise(columns);
  const small = jacobi(triangular);
  const m = columns[0]?.length ?? 0;
  const left = small.left.map((direction) => {
    const out = new Float64Array(m);
    orthogonal.forEach((q, j) => {
      const weight = direction[j]!;
      if (weight === 0) return;
      for (let i = 0; i < m; i++) out[i]! += weight * q[i]!;
    });
    return out;
  });
  return { ...small, left };
}

/** Columns = Q R by modified Gram–Schmidt, every column orthogonalised twice; R by its columns. */
function orthogonalise(columns: readonly ArrayLike<number>[]): {
  orthogonal: Float64Array[];
  triangular: Float64Array[];
} {
  const orthogonal: Float64Array[] = [];
  const triangular = columns.map(() => new Float64Array(columns.length));
  columns.forEach((column, k) => {
    const v = Float64Array.from(column);
    for (let pass = 0; pass < 2; pass++) {
      orthogonal.forEach((q, j) => {
        let projection = 0;
        for (let i = 0; i < v.length; i++) projection += q[i]! * v[i]!;
        triangular[k]![j]! += projection;
        for (let i = 0; i < v.length; i++) v[i]! -= projection * q[i]!;
      });
    }
    let square = 0;
    for (let i = 0; i < v.length; i++) square += v[i]! * v[i]!;
    const norm = Math.sqrt(square);
    triangular[k]![k] = norm;
    // What is left of a dependent column is rounding; its direction must not enter.
    orthogonal.push(norm > 1e-14 * Math.hypot(...triangular[k]!) ? v.map((value) => value / norm) : v.fill(0));
  });
  return { orthogonal, triangular };
}

function jacobi(columns: readonly Float64Array[]): SingularValues {
  const count = columns.length;
  const work = columns.map((c) => c.slice());
  const right = columns.map((_, k) => {
    const unit = new Float64Array(count);
    unit[k] = 1;
    return unit;
  });
  for (let sweep = 0; sweep < 60; sweep++) {
    let rotated = false;
    for (let p = 0; p < count - 1; p++) {
      for (let q = p + 1; q < count; q++) rotated = rotate(work, right, p, q) || rotated;
    }
    if (!rotated) break;
  }
  const values = new Float64Array(count);
  const left = work.map((c, k) => {
    let square = 0;
    for (const v of c) square += v * v;
    const norm = Math.sqrt(square);
    values[k] = norm;
    return norm > 0 ? c.map((v) => v / norm) : c;
  });
  return { left, values, right };
}

/** One Jacobi rotation that makes columns p and q orthogonal; false when they already are to 1e-15. */
function rotate(work: Float64Array[], right: Float64Array[], p: number, q: number): boolean {
  const a = work[p]!;
  const b = work[q]!;
  let alpha = 0;
  let beta = 0;
  let gamma = 0;
  for (let i = 0; i < a.length; i++) {
    alpha += a[i]! * a[i]!;
    beta += b[i]! * b[i]!;
    gamma += a[i]! * b[i]!;
  }
  if (Math.abs(gamma) <= 1e-15 * Math.sqrt(alpha * beta) || gamma === 0) return false;
  const zeta = (beta - alpha) / (2 * gamma);
  const t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const c = 1 / Math.sqrt(1 + t * t);
  const s = c * t;
  for (const [x, y] of [
    [a, b],
    [right[p]!, right[q]!],
  ] as const) {
    for (let i = 0; i < x.length; i++) {
      const held = x[i]!;
      x[i] = c * held - s * y[i]!;
      y[i] = s * held + c * y[i]!;
    }
  }
  return true;
}
