/**
 * Erlang's C: the chance that an arrival waits for `servers` parallel servers under `offered` erlangs. By Erlang's B
 * and its recursion, which neither over- nor underflows; between whole numbers of servers by the logarithm.
 */
export function erlangC(servers: number, offered: number): number {
  if (offered <= 0) return 0;
  if (offered >= servers) return 1;
  const whole = Math.floor(servers);
  let blocked = 1;
  for (let k = 1; k <= whole; k++) blocked = (offered * blocked) / (k + offered * blocked);
  const low = offered >= whole ? 1 : waitingOf(whole, offered, blocked);
  const part = servers - whole;
  if (part === 0) return low;
  blocked = (offered * blocked) / (whole + 1 + offered * blocked);
  const high = waitingOf(whole + 1, offered, blocked);
  // At fewer whole servers than erlangs every arrival waits; from there the scale is that of the room that is left.
  if (low >= 1) return Math.exp((Math.log(high) * (servers - offered)) / (whole + 1 - offered));
  return low ** (1 - part) * high ** part;
}

function waitingOf(servers: number, offered: number, blocked: number): number {
  return blocked / (1 - (offered / servers) * (1 - blocked));
}
