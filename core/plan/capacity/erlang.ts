/**
 * Erlang's C: the chance that an arrival waits for `servers` parallel servers under `offered` erlangs. By Erlang's B
 * and its recursion, which neither over- nor underflows.
 */
export function erlangC(servers: number, offered: number): number {
  if (offered <= 0) return 0;
  if (offered >= servers) return 1;
  let blocked = 1;
  for (let k = 1; k <= servers; k++) blocked = (offered * blocked) / (k + offered * blocked);
  return blocked / (1 - (offered / servers) * (1 - blocked));
}
