import { nextCounter, normal, uniformOf } from '../../forecast/random.js';

/**
 * The stream of `createRandom`, whose place is plain data: it can be kept with the state, so that a restart draws what
 * would have been drawn.
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
    this.counter = nextCounter(this.counter);
    return uniformOf(this.counter);
  }

  /** Standard normal. */
  normal(): number {
    return normal(() => this.uniform());
  }
}
