/** Longer keys are kept as their hash. */
const WHOLE_KEY = 22;

/**
 * What a message's key is kept under: itself, or `#` and a hash of 53 bits of a longer one. A thousand keys of the
 * usual 36 characters would fill the state otherwise; two of them share a hash once in 10^10 full tables.
 * `__proto__` is hashed as well: assigned to an object, it is no property, and the message would be carried out again.
 */
export function keyId(key: string): string {
  const whole = key.length <= WHOLE_KEY && !key.startsWith('#') && key !== '__proto__';
  return whole ? key : `#${hash53(key).toString(36)}`;
}

/** cyrb53: two 32-bit multiplicative hashes, mixed. No cryptography: who may send messages is trusted already. */
function hash53(text: string): number {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 2 ** 32 * (b & 0x1fffff) + (a >>> 0);
}
