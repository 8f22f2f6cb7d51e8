/** ln Γ(x), x > 0 (Lanczos's approximation, g = 7; Press et al., Numerical Recipes). */
export function logGamma(x: number): number {
  let sum = 0.99999999999980993;
  for (const [i, c] of LANCZOS.entries()) sum += c / (x + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Regularised lower incomplete gamma function: series below the mean, continued fraction above. */
export function gammaCdf(shape: number, x: number): number {
  if (x <= 0) return 0;
  const front = Math.exp(shape * Math.log(x) - x - logGamma(shape));
  if (x < shape + 1) {
    let term = 1 / shape;
    let sum = term;
    for (let k = 1; k < 10_000 && term > 1e-14 * sum; k++) sum += term *= x / (shape + k);
    return front * sum;
  }
  let b = x + 1 - shape;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let k = 1; k < 10_000; k++) {
    const a = k * (shape - k);
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-14) break;
  }
  return 1 - front * h;
}

/** Quantile of the gamma distribution with mean 1, by bisection in the logarithm, then Newton. */
export function gammaQuantile(shape: number, level: number): number {
  const z = normalQuantile(level);
  const k = 1 / (9 * shape);
  // Wilson and Hilferty (1931): close for all shapes used here, never below a thousandth.
  let x = shape * Math.max(1e-3, 1 - k + z * Math.sqrt(k)) ** 3;
  for (let i = 0; i < 12; i++) {
    const density = Math.exp((shape - 1) * Math.log(x) - x - logGamma(shape));
    const step = (gammaCdf(shape, x) - level) / density;
    if (!Number.isFinite(step)) break;
    x = Math.max(x / 4, x - step);
    if (Math.abs(step) < 1e-10 * x) break;
  }
  return x / shape;
}

/** Inverse of the standard normal distribution (Acklam 2003; relative error below 1.2e-9). */
export function normalQuantile(level: number): number {
  if (level < 0.02425) return tail(Math.sqrt(-2 * Math.log(level)));
  if (level > 1 - 0.02425) return -tail(Math.sqrt(-2 * Math.log(1 - level)));
  const q = level - 0.5;
  const r = q * q;
  return (q * polynomial(CENTRE, r)) / (r * polynomial(CENTRE_BELOW, r) + 1);
}

function tail(q: number): number {
  return polynomial(TAIL, q) / (q * polynomial(TAIL_BELOW, q) + 1);
}

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, c) => sum * x + c, 0);
}

const CENTRE = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
];
const CENTRE_BELOW = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572];
const TAIL = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_BELOW = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
