export interface ProbeOptions<T> {
  everyMs: number;
  now(): number;
  look(): Promise<T>;
  /** Called after each look, with what it gave or why it failed. */
  onError?(error: unknown): void;
}

/** Looks at something again and again, one look at a time; one that hangs shows in the age of the last success. */
export class Probe<T> {
  /** What the last look that succeeded gave. */
  value: T | null = null;
  /** Why the newest look failed; `null`: it did not. */
  error: string | null = null;
  private readonly options: ProbeOptions<T>;
  private succeededMs: number;
  private timer: NodeJS.Timeout | null = null;
  private looking: Promise<void> | null = null;
  private stopped = false;

  constructor(options: ProbeOptions<T>) {
    this.options = options;
    this.succeededMs = options.now();
  }

  ageSeconds(): number {
    return Math.max(0, (this.options.now() - this.succeededMs) / 1000);
  }

  /** Resolves when the first look is over. */
  async start(): Promise<void> {
    await this.look();
    if (this.stopped) return;
    this.timer = setInterval(() => void this.look(), this.options.everyMs);
    this.timer.unref();
  }

  /** Nothing is looked at any more once it resolves; a look that hangs is not waited for. */
  async stop(withinMs = 1000): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearInterval(this.timer);
    if (this.looking === null) return;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)));
    await Promise.race([this.looking, limit]);
    clearTimeout(timer);
  }

  async look(): Promise<void> {
    this.looking ??= this.lookOnce().finally(() => (this.looking = null));
    return this.looking;
  }

  private async lookOnce(): Promise<void> {
    try {
      this.value = await this.options.look();
      this.succeededMs = this.options.now();
      this.error = null;
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
      this.options.onError?.(error);
    }
  }
}
