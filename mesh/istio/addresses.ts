/** An address that needs no resolving: IPv4 in four parts, or IPv6. */
export function isIp(address: string): boolean {
  return address.includes(':') || /^[\d.]+$/.test(address);
}
