import type { TwinModel } from '../model.js';
import { servicesByEntry } from './serving.js';
import type { RateGate } from './topfullGate.js';
import type { ApiState } from './topfullMimd.js';

/** No API is limited below this. */
const FLOOR_RPS = 10;
/** A limit rises at most to so much above what comes. */
const RISE_OVER_RATE = 1.1;
/** Steps of an agent before it lets go. */
const STEPS = 150;

interface Agent {
  apis: number[];
  stepsLeft: number;
}

/** Agents, one for each cluster of APIs that share overloaded services; an API is in one at most. */
export class Clusters {
  private readonly gate: RateGate;
  private readonly steps: { decreaseShare: number; increaseShare: number };
  private readonly paths: readonly ReadonlySet<string>[];
  /** APIs by service. */
  private readonly users = new Map<string, number[]>();
  /** The more a request is worth, the higher; equal worth, equal rank. */
  private readonly ranks: readonly number[];
  private agents: Agent[] = [];

  constructor(model: TwinModel, gate: RateGate, steps: { decreaseShare: number; increaseShare: number }) {
    this.gate = gate;
    this.steps = steps;
    const reached = servicesByEntry(model);
    this.paths = model.entries.map(({ name }) => reached.get(name) ?? new Set<string>());
    this.paths.forEach((path, api) => {
      for (const service of path) this.users.set(service, [...(this.users.get(service) ?? []), api]);
    });
    const values = [...new Set(model.entries.map(({ value }) => value))].sort((a, b) => a - b);
    this.ranks = model.entries.map(({ value }) => values.indexOf(value));
  }

  /** Every agent acts once. */
  step(states: readonly ApiState[], overloaded: ReadonlySet<string>): void {
    this.agents = this.agents.flatMap((agent) => this.act(agent, states, overloaded));
  }

  private act(agent: Agent, states: readonly ApiState[], overloaded: ReadonlySet<string>): Agent[] {
    const { apis } = agent;
    const isOverloaded = (api: number): boolean => [...this.paths[api]!].some((service) => overloaded.has(service));
    const free = apis.filter((api) => !isOverloaded(api));
    const isClean = (api: number): boolean => {
      const rps = this.gate.rpsOf(api);
      return (states[api]!.mostlyGood && this.gate.limitOf(api) >= rps) || rps === 0;
    };
    if (agent.stepsLeft <= 0) return this.release(agent);
    if (free.length > 0 && apis.length > 1) {
      const bound = apis.filter(isOverloaded);
      const parts = [...free.map((api) => [api]), ...(bound.length > 0 ? [bound] : [])];
      return parts.map((part) => ({ apis: part, stepsLeft: STEPS }));
    }
    if (apis.every(isClean)) return this.release(agent);
    if (apis.some((api) => states[api]!.late)) this.lower(apis, overloaded);
    else this.raise(apis, overloaded);
    agent.stepsLeft--;
    return [agent];
  }

  private release({ apis }: Agent): Agent[] {
    for (const api of apis) this.gate.setLimit(api, Infinity);
    return [];
  }

  /** Groups of APIs of equal priority: first those whose overloaded services few others use, then those of less worth. */
  private byPriority(apis: readonly number[], overloaded: ReadonlySet<string>): number[][] {
    const priority = (api: number): number => {
      const bound = [...this.paths[api]!].filter((service) => overloaded.has(service));
      const sharing = bound.map((service) => this.users.get(service)!.length);
      return (overloaded.size === 0 ? 0 : Math.min(100, ...sharing)) * 1000 + this.ranks[api]!;
    };
    const groups = new Map<number, number[]>();
    for (const api of apis) groups.set(priority(api), [...(groups.get(priority(api)) ?? []), api]);
    return [...groups.entries()].sort(([a], [b]) => a - b).map(([, group]) => group);
  }

  private lower(apis: readonly number[], overloaded: ReadonlySet<string>): void {
    const groups = this.byPriority(apis, overloaded);
    let left = this.steps.decreaseShare * this.sum(groups[0] ?? []);
    for (const group of groups) {
      left = this.spread(group, left, (api) => this.gate.limitOf(api) - FLOOR_RPS, -1);
      if (left <= 0) return;
    }
  }

  private raise(apis: readonly number[], overloaded: ReadonlySet<string>): void {
    const groups = this.byPriority(apis, overloaded).reverse();
    let left = this.steps.increaseShare * this.sum(groups[0] ?? []);
    for (const group of groups) {
      left = this.spread(group, left, (api) => RISE_OVER_RATE * this.gate.rpsOf(api) - this.gate.limitOf(api), 1);
      if (left <= 0) return;
    }
  }

  /** Changes the limits of a group by `amount` in all, in equal parts as far as each has room; what is left over. */
  private spread(group: readonly number[], amount: number, roomOf: (api: number) => number, sign: 1 | -1): number {
    let left = amount;
    const ordered = [...group].sort((a, b) => roomOf(a) - roomOf(b) || a - b);
    ordered.forEach((api, i) => {
      const part = Math.min(left / (ordered.length - i), Math.max(0, roomOf(api)));
      this.gate.setLimit(api, Math.max(FLOOR_RPS, this.gate.limitOf(api) + sign * part));
      left -= part;
    });
    return left;
  }

  private sum(apis: readonly number[]): number {
    return apis.reduce((sum, api) => sum + this.gate.limitOf(api), 0);
  }

  /** APIs with requests that use an overloaded service come into one agent; those that are new in it at their rate. */
  detect(overloaded: ReadonlySet<string>): void {
    for (const service of overloaded) {
      const cluster = (this.users.get(service) ?? []).filter((api) => this.gate.rpsOf(api) > 0);
      if (cluster.length === 0) continue;
      const touched = this.agents.filter(({ apis }) => apis.some((api) => cluster.includes(api)));
      const known = touched.flatMap(({ apis }) => apis);
      const fresh = cluster.filter((api) => !known.includes(api));
      if (touched.length === 1 && fresh.length === 0) continue;
      for (const api of fresh) this.gate.setLimit(api, Math.max(FLOOR_RPS, this.gate.rpsOf(api)));
      const merged: Agent = { apis: [...known, ...fresh], stepsLeft: touched[0]?.stepsLeft ?? STEPS };
      this.agents = [...this.agents.filter((agent) => !touched.includes(agent)), merged];
    }
  }
}
