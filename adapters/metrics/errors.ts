/** A store was used after it was closed. */
export class MetricsStoreClosedError extends Error {
  constructor() {
    super('the metrics store is closed');
    this.name = 'MetricsStoreClosedError';
  }
}

/** A row cannot be stored as it is: a value that is no finite number, or an empty set of fields. */
export class InvalidMetricRowError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidMetricRowError';
  }
}
