import { erlangC } from '../../core/plan/capacity/erlang.js';
import type { Case } from './caseSet.js';
import { randomSplitRps } from './randomSplit.js';

/** What others would count: the same question, without the balancer. */
export const PEERS: Readonly<Record<string, (question: Case) => number>> = {
  'Erlang C, one pooled queue': pooledCount,
  'random split, M/M/c each': (question) =>
    Math.max(1, Math.ceil(question.demandRps / randomSplitRps(question) - 1e-9)),
  'fixed 65 % utilisation': ({ demandRps, serviceTimeMs, concurrency }) =>
    Math.max(1, Math.ceil((demandRps * serviceTimeMs) / (1000 * concurrency * 0.65))),
};

/** M/M/nc with the wait alone held below what the SLO leaves over the p99 of service. */
function pooledCount(question: Case): number {
  const { demandRps, serviceTimeMs, concurrency, sloP99Ms, maxUtilisation } = question;
  const offered = (demandRps * serviceTimeMs) / 1000;
  let count = Math.max(1, Math.ceil(offered / (concurrency * maxUtilisation)));
  for (; ; count++) {
    const servers = count * concurrency;
    const rate = (servers - offered) / serviceTimeMs;
    const room = Math.max(0, sloP99Ms - serviceTimeMs * Math.min(4.605, (0.8 * sloP99Ms) / serviceTimeMs));
    if (erlangC(servers, offered) * Math.exp(-rate * room) <= 0.01) return count;
  }
}
