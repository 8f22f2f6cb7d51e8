/** How a service's held-out errors move: what stays over an origin's whole horizon, and what varies around it. */
export interface ErrorShape {
  /** Share of the variance that is level. */
  share: number;
  /** By origin: sum 0, sum of squares 1; all 0 where no error was seen. */
  levels: readonly number[];
  /** By origin, then by lead: mean 0 in each origin, variance 1 together; in hundredths. */
  around: readonly (readonly number[])[];
}

/**
 * Joint sample paths of a region in short: how errors of its services move together over steps and from service to
 * service. With the quantiles of the forecast it gives the paths, service by service. Plain data.
 */
export interface ForecastPaths {
  seed: number;
  paths: number;
  /** Origins of the back-test that errors were seen from. */
  origins: number;
  /** Steps that were seen from each. */
  testedSteps: number;
  /** Mean length of a block. */
  blockSteps: number;
  /** Share of the dependence between levels of services that is not chance, 0 to 1. */
  dependence: number;
  services: readonly ({ service: string } & ErrorShape)[];
}
