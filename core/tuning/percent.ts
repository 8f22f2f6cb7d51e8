/** A share, 0–1, as reasons tell it. */
export function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(2)} %`;
}
