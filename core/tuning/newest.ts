/** The newest reading of a host; of several of the same time, the first. */
export function newest<T extends { host: string; at: number }>(readings: readonly T[], host: string): T | undefined {
  const own = readings.filter((reading) => reading.host === host);
  return own.reduce<T | undefined>((best, one) => (best !== undefined && best.at >= one.at ? best : one), undefined);
}
