// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { imul } = Math;

/** Numbers in [0, 1): the same seed gives the same ones. A 32-bit counter, hashed; good enough to draw samples by. */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = nextCounter(state);
    return uniformOf(state);
  };
}

/** Where the stream stands after one more number. */
export function nextCounter(counter: number): number {
  return (counter + 0x9e3779b9) | 0;
}

/** The number in [0, 1) of a place in the stream. */
export function uniformOf(counter: number): number {
  let mixed = imul(counter ^ (counter >>> 16), 0x21f0aaad);
  mixed = imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296;
}

/** One draw from the standard normal distribution (Box and Muller 1958). */
export function normal(random: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}
