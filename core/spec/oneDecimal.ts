/** As people are told it: 26.666 is 26.7. */
export function oneDecimal(value: number): number {
  return Math.round(value * 10) / 10;
}
