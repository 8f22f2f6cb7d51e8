/** Workflow time: the SDK replaces the global clock inside the sandbox, so that a replay reads what was read first. */
export function nowMs(): number {
  return Date.now();
}

export function nowIso(): string {
  return new Date(nowMs()).toISOString();
}
