import { normalQuantile } from '../../forecast/normalQuantile.js';

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
