const MEMORY = 0.9;
const SQUARE_MEMORY = 0.999;
const LEAST = 1e-8;

const { sqrt } = Math;

/** Adam (Kingma and Ba 2015) with its gradient clipped to a norm. One for each training; it has a memory. */
export class Adam {
  readonly #momentum: Float64Array;
  readonly #square: Float64Array;
  #steps = 0;

  constructor(count: number) {
    this.#momentum = new Float64Array(count);
    this.#square = new Float64Array(count);
  }

  /** One step of `weights` against the sum of the gradients of `samples`; sets `gradient` to zero. */
  step(weights: Float64Array, gradient: Float64Array, samples: number, rate: number, mostNorm: number): void {
    this.#steps++;
    let square = 0;
    for (const slope of gradient) square += slope * slope;
    const norm = sqrt(square) / samples;
    const factor = Math.min(1, mostNorm / (norm + LEAST)) / samples;
    const stepRate = (rate * sqrt(1 - SQUARE_MEMORY ** this.#steps)) / (1 - MEMORY ** this.#steps);
    for (let at = 0; at < weights.length; at++) {
      const slope = factor * (gradient[at] ?? 0);
      const momentum = MEMORY * (this.#momentum[at] ?? 0) + (1 - MEMORY) * slope;
      const spread = SQUARE_MEMORY * (this.#square[at] ?? 0) + (1 - SQUARE_MEMORY) * slope * slope;
      this.#momentum[at] = momentum;
      this.#square[at] = spread;
      weights[at] = (weights[at] ?? 0) - (stepRate * momentum) / (sqrt(spread) + LEAST);
    }
    gradient.fill(0);
  }
}
