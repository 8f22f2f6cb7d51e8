/** Processor time of this process, milliseconds: in all, or since a reading of `process.cpuUsage`. */
export function cpuMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}
