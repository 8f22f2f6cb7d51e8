/** `metric{a="b",…}` */
export function selector(metric: string, matchers: readonly string[]): string {
  return matchers.length === 0 ? metric : `${metric}{${matchers.join(',')}}`;
}

/** A duration as PromQL writes it; whole milliseconds. */
export function duration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.round(ms)}ms`;
}

/** A multiple of the step, as `range` takes the ends of its time. */
export function floorTo(ms: number, stepMs: number): number {
  return Math.floor(ms / stepMs) * stepMs;
}

/** `$name` → value, wherever it stands as a word of its own. `$1` of `label_replace` is left alone. */
export function filled(query: string, values: Readonly<Record<string, string>>): string {
  return query.replace(/\$([a-zA-Z]+)\b/g, (whole, name: string) => values[name] ?? whole);
}

/** The service that a series is about: its label, by another name where the region file gives one. */
export function serviceOf(
  labels: Readonly<Record<string, string>>,
  label: string,
  names: Readonly<Record<string, string>> | undefined,
): string | undefined {
  const value = labels[label];
  if (value === undefined || value === '') return undefined;
  return names !== undefined && Object.hasOwn(names, value) ? names[value] : value;
}
