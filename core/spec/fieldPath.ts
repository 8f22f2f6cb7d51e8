/** `['services', 2, 'slo', 'p99Ms']` → `services[2].slo.p99Ms` */
export function fieldPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(document)';
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      const name = String(part);
      if (!/^[\w-]+$/.test(name)) return `[${JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}…` : name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join('');
}
