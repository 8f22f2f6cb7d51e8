export interface LockOptions {
  /** Called once, when somebody else holds the lock. */
  onWait?: () => void;
  staleMs?: number;
  pollMs?: number;
}

export function withLock<T>(file: string, work: () => Promise<T>, options?: LockOptions): Promise<T>;
