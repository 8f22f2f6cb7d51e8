import { MetricsStoreFullError } from '../errors.js';

/** The queue on disk has no room for a batch; nothing of the batch was kept. */
export class QueueFullError extends MetricsStoreFullError {
  constructor(directory: string, maxBytes: number) {
    super(
      `the metrics queue in ${directory} is full (${maxBytes} bytes): new rows are refused until the server takes some`,
    );
    this.name = 'QueueFullError';
  }
}

/** Another store holds the folder of a queue: two would send each other's batches. */
export class QueueLockedError extends Error {
  constructor(directory: string) {
    super(`the metrics queue in ${directory} is in use by another worker: give each its own folder (PSMG_STATE)`);
    this.name = 'QueueLockedError';
  }
}

/** The server did not answer a question as asked; the message holds its words. */
export class MetricsQueryError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MetricsQueryError';
  }
}
