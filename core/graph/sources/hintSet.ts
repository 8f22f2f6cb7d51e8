import type { EdgeSet } from '../edgeSet.js';

/** Hints of one file: one an edge, the surest. */
export class HintSet {
  private readonly hints = new Map<string, { caller: string; callee: string; confidence: number }>();
  private readonly services = new Set<string>();
  private readonly leftOut = new Set<string>();

  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  addService(name: string): void {
    this.services.add(name);
  }

  add(caller: string, callee: string, confidence: number): void {
    const key = JSON.stringify([caller, callee]);
    const known = this.hints.get(key);
    this.hints.set(key, { caller, callee, confidence: Math.max(confidence, known?.confidence ?? 0) });
  }

  /** A store or broker. */
  leaveOut(name: string): void {
    this.leftOut.add(name);
  }

  toEdgeSet(): EdgeSet {
    const edges = [...this.hints.values()].map((hint) => ({
      ...hint,
      callsPerRequest: 1,
      source: this.file,
      basis: 'hint' as const,
    }));
    const stores = [...this.leftOut].sort().join(', ');
    const notes =
      stores === '' ? [] : [`${this.file}: calls to stores and brokers are not routed by the mesh: ${stores}`];
    return { edges, notes, services: [...this.services].sort() };
  }
}
