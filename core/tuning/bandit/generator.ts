// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { cos, imul, log, sqrt, PI } = Math;

/**
 * Chance whose place in the stream is plain data: it can be kept with the state, so that a restart draws what would
 * have been drawn. A 32-bit counter, hashed.
 */
export class Generator {
  private counter: number;

  constructor(state: number) {
    this.counter = state | 0;
  }

  /** What makes a generator that goes on from here. */
  get state(): number {
    return this.counter;
  }

  /** [0, 1) */
  uniform(): number {
    this.counter = (this.counter + 0x9e3779b9) | 0;
    let mixed = imul(this.counter ^ (this.counter >>> 16), 0x21f0aaad);
    mixed = imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296;
  }

  /** Standard normal (Box and Muller 1958). */
  normal(): number {
    const radius = sqrt(-2 * log(1 - this.uniform()));
    return radius * cos(2 * PI * this.uniform());
  }
}
