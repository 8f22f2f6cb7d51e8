import { DEFAULT_MAX_UTILISATION } from './capacityCurve.js';
import type { InstanceBinding } from './capacityCurve.js';
import type { InstanceAnswer, InstanceQuestion } from './instances.js';

/** Why it is this many, in one sentence with its numbers. */
export function instanceReason(
  question: InstanceQuestion,
  answer: Omit<InstanceAnswer, 'reason'>,
  survivors: number,
): string {
  const { count, binding } = answer;
  const each = `${number(answer.perInstanceRps)} rps an instance ${limitText(question, answer.perInstanceBinding)}`;
  switch (binding) {
    case 'minInstances':
      return `${each}; ${count} is the stated minimum and suffices`;
    case 'endpoints':
      return `${each}; all ${count} endpoints are used and ${missing(answer)}`;
    case 'zoneLoss':
      return `${each}; ${survivors} of ${count} are left when the largest zone is lost and still take it all`;
    case 'instanceLoss':
      return `${each}; ${survivors} of ${count} are left when one is lost and still take it all`;
    case 'slo':
    case 'utilisation':
    case 'cpu':
    case 'memory':
      return `${each}; p99 about ${number(answer.p99Ms)} ms at ${Math.round(100 * answer.utilisation)} % busy`;
  }
}

function limitText(question: InstanceQuestion, limit: InstanceBinding): string {
  const { sloP99Ms, policy, clientProxies, cpu, memory, maxUtilisation = DEFAULT_MAX_UTILISATION } = question;
  const percent = `${Math.round(100 * maxUtilisation)} %`;
  switch (limit) {
    case 'slo':
      return `keep the p99 SLO of ${sloP99Ms} ms under ${policy} over ${clientProxies} proxies`;
    case 'utilisation':
      return `keep its workers at most ${percent} busy`;
    case 'cpu':
      return `keep its ${cpu?.coresPerInstance ?? 0} cores at most ${percent} busy`;
    case 'memory':
      return `fit with what they hold in flight into its ${memory?.mibPerInstance ?? 0} MiB`;
  }
}

function missing({ shortfallRps, shortfallOnLossRps }: Omit<InstanceAnswer, 'reason'>): string {
  if (shortfallRps > 0) return `${number(shortfallRps)} rps are left`;
  return `${number(shortfallOnLossRps)} rps would be left after the loss`;
}

function number(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
