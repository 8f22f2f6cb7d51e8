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

/** A query asks for what there cannot be, such as buckets of no width. */
export class InvalidMetricQueryError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidMetricQueryError';
  }
}

/** The disk, or the space that the file may take, is full. Nothing of the batch was kept. */
export class MetricsStoreFullError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MetricsStoreFullError';
  }
}

/** The file is no database, or a damaged one. Nothing of the batch was kept. */
export class MetricsStoreCorruptError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MetricsStoreCorruptError';
  }
}
