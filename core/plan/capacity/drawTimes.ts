import { normal } from '../../forecast/random.js';

/**
 * Draws of a positive time with mean 1 and the given squared coefficient of variation: constant at 0, gamma below 1
 * (Erlang where its shape is whole), exponential at 1, hyperexponential with balanced means above (Whitt 1982).
 */
export function drawTimes(cv2: number, random: () => number): () => number {
  if (cv2 <= 0) return () => 1;
  if (cv2 === 1) return () => -Math.log(1 - random());
  if (cv2 < 1) return drawGamma(1 / cv2, random);
  const { probability, fastMean, slowMean } = hyperexponential(cv2);
  return () => -Math.log(1 - random()) * (random() < probability ? fastMean : slowMean);
}

export interface Hyperexponential {
  /** Of the fast phase. */
  probability: number;
  fastMean: number;
  slowMean: number;
}

/** Two exponential phases that each bring half of the mean of 1. */
export function hyperexponential(cv2: number): Hyperexponential {
  const probability = (1 + Math.sqrt((cv2 - 1) / (cv2 + 1))) / 2;
  return { probability, fastMean: 1 / (2 * probability), slowMean: 1 / (2 * (1 - probability)) };
}

/** Gamma with mean 1 and a shape above 1 (Marsaglia and Tsang 2000). */
function drawGamma(shape: number, random: () => number): () => number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  return () => {
    for (;;) {
      const z = normal(random);
      const root = 1 + c * z;
      if (root <= 0) continue;
      const v = root * root * root;
      if (Math.log(1 - random()) < 0.5 * z * z + d - d * v + d * Math.log(v)) return (d * v) / shape;
    }
  };
}
