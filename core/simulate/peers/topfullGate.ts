/** Rates are means over so many seconds. */
const RATE_SECONDS = 4;

/** A token bucket an API whose burst is one second of its rate. Without a limit all pass. */
export class RateGate {
  private readonly limits: number[];
  private readonly tokens: number[];
  private readonly filledMs: number[];
  private readonly counts: number[][];

  constructor(apis: number) {
    this.limits = new Array<number>(apis).fill(Infinity);
    this.tokens = new Array<number>(apis).fill(Infinity);
    this.filledMs = new Array<number>(apis).fill(0);
    this.counts = Array.from({ length: apis }, () => []);
  }

  take(api: number, nowMs: number): boolean {
    const limit = this.limits[api]!;
    if (limit === Infinity) return true;
    const filled = this.tokens[api]! + ((nowMs - this.filledMs[api]!) * limit) / 1000;
    this.tokens[api] = Math.min(filled, limit);
    this.filledMs[api] = nowMs;
    if (this.tokens[api]! < 1) return false;
    this.tokens[api]! -= 1;
    return true;
  }

  /** Requests per second that the API may take; infinite: no limit. */
  limitOf(api: number): number {
    return this.limits[api]!;
  }

  setLimit(api: number, rps: number): void {
    this.limits[api] = rps;
    this.tokens[api] = Math.min(this.tokens[api]!, rps);
  }

  /** Requests that came in the last second, by API, refused ones included. */
  count(offered: readonly number[]): void {
    offered.forEach((one, api) => {
      this.counts[api] = [...this.counts[api]!, one].slice(-RATE_SECONDS);
    });
  }

  /** Offered, requests per second. */
  rpsOf(api: number): number {
    const counts = this.counts[api]!;
    return counts.length > 0 ? counts.reduce((sum, one) => sum + one, 0) / counts.length : 0;
  }
}
