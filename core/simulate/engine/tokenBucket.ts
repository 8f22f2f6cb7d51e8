/**
 * Envoy's local rate limit as our renderer sets it (`mesh/envoy/buckets.ts`): `fill_interval` is stretched so that the
 * rate is exact, and Envoy (1.33 and later, its bucket without a timer) fills by the time that has passed, not once an
 * interval. Full at first; a token a request.
 */
export class TokenBucket {
  private perMs: number;
  private most: number;
  private tokens: number;
  private last = 0;

  constructor(rps: number, burst: number) {
    this.perMs = rps / 1000;
    this.most = burst;
    this.tokens = burst;
  }

  take(nowMs: number): boolean {
    const filled = this.tokens + (nowMs - this.last) * this.perMs;
    this.tokens = filled < this.most ? filled : this.most;
    this.last = nowMs;
    // Sums of many small parts must not miss a whole token.
    if (this.tokens < 1 - 1e-9) return false;
    this.tokens -= 1;
    return true;
  }

  /** A changed bucket is a new one to Envoy, and full. */
  set(rps: number, burst: number, nowMs: number): void {
    if (rps / 1000 === this.perMs && burst === this.most) return;
    this.perMs = rps / 1000;
    this.most = burst;
    this.tokens = burst;
    this.last = nowMs;
  }
}
