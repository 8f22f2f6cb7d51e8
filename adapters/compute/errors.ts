/** Work given to a compute that was closed, or was under way when it closed. */
export class ComputeClosedError extends Error {
  override readonly name = 'ComputeClosedError';
  constructor() {
    super('the forecast compute is closed');
  }
}

/** A thread ended before it could take work: its code or an engine could not be loaded. */
export class ThreadStartError extends Error {
  override readonly name = 'ThreadStartError';
  constructor(reason: string) {
    super(`a compute thread could not start: ${reason}`);
  }
}

/** One task cannot be answered; others can. */
export class TaskLostError extends Error {
  override readonly name = 'TaskLostError';
}
