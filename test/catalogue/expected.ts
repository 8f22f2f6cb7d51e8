import type { MessageName } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import type { JudgedRegion } from '../workflows/judgedRegion.js';
import type { Situation } from './life.js';
import type { TypedLine } from './typedLines.js';

/** What a person who types a line may count on. */
export interface Expected {
  /** Where the region is when the line is typed. */
  in: Situation;
  accepted: boolean;
  detail: RegExp;
  /** Ends the workflow in this phase. */
  ends?: string;
  /** Of a region that goes on: what is to be seen afterwards. */
  effect?(status: RegionStatus, line: TypedLine, outside: JudgedRegion): boolean;
}

const set = ({ overrides }: RegionStatus, { input }: TypedLine): boolean =>
  overrides.some(({ address, value }) => address === input['address'] && value === input['value']);
const operates = ({ phase, tuner }: RegionStatus): boolean => phase === 'operating' && tuner.state === 'running';

const BY_NAME: Partial<Record<MessageName, Expected>> = {
  override: { in: 'operating', accepted: true, detail: /in force on every proxy/, effect: set },
  'clear-override': {
    ...{ in: 'operating', accepted: true, detail: /in force on every proxy/ },
    effect: (status, line) =>
      !set(status, { ...line, input: { ...line.input, value: 60 } }) && !hasAddress(status, line),
  },
  freeze: {
    ...{ in: 'operating', accepted: true, detail: /no automatic change until resume/ },
    effect: ({ freeze }) => freeze?.who === 'ada',
  },
  resume: {
    ...{ in: 'frozen', accepted: true, detail: /automatic changes are allowed again/ },
    effect: ({ freeze }) => freeze === null,
  },
  rollback: {
    ...{ in: 'operating', accepted: true, detail: /runs again; frozen until resume/ },
    effect: ({ rolledBackTo, freeze }) => rolledBackTo !== null && freeze !== null,
  },
  retry: { in: 'blocked-launch', accepted: true, detail: /^retry of await-stack/, effect: operates },
  skip: { in: 'blocked-launch', accepted: true, detail: /^skip of await-stack/, effect: operates },
  abort: { in: 'blocked-launch', accepted: true, detail: /^abort of await-stack; undone: /, ends: 'aborted' },
  replan: {
    ...{ in: 'operating', accepted: true, detail: /^forecasting and planning anew/ },
    effect: ({ replan }, _line, { plans }) => plans > 1 && replan?.state !== 'running',
  },
  approve: {
    in: 'waiting',
    accepted: false,
    detail: /plan 1a2b3c4d5e6f does not wait; plan \w{12} does/,
    effect: ({ phase }) => phase === 'awaiting-approval',
  },
  reject: {
    in: 'waiting',
    accepted: false,
    detail: /plan 1a2b3c4d5e6f does not wait; plan \w{12} does/,
    effect: ({ phase }) => phase === 'awaiting-approval',
  },
  drain: {
    ...{ in: 'operating', accepted: true, detail: /^draining: 50 %, 0 %, the entry of the users/ },
    effect: ({ phase }, _line, { entry }) => phase === 'drained' && entry.at(-1) === 'drain',
  },
  release: { in: 'operating', accepted: true, detail: /^released/, ends: 'released' },
  retire: { in: 'operating', accepted: true, detail: /^retiring/, ends: 'retired' },
  'set-autonomy': {
    ...{ in: 'operating', accepted: true, detail: /./ },
    effect: ({ autonomyRules }, { input }) => autonomyRules?.some((rule) => rule.level === input['level']) === true,
  },
  'take-over': {
    ...{ in: 'operating', accepted: true, detail: /ada has the region until hand-back/ },
    effect: ({ takenOver }) => takenOver?.who === 'ada',
  },
  'hand-back': {
    ...{ in: 'taken-over', accepted: true, detail: /the program acts again/ },
    effect: ({ takenOver }) => takenOver === undefined,
  },
  'continue-as-new': { in: 'operating', accepted: true, detail: /goes on in a new run/ },
};

function hasAddress({ overrides }: RegionStatus, { input }: TypedLine): boolean {
  return overrides.some(({ address }) => address === input['address']);
}

/** Where the page says something else of the message than the others do. */
export function expectedOf(line: TypedLine): Expected {
  const { name, page, input } = line;
  if (name === 'repair' && input['field'] === 'epoch') {
    return {
      ...{ in: 'rolled-back', accepted: true, detail: /the next write is of epoch 12/ },
      effect: ({ epoch }) => epoch === 12,
    };
  }
  if (name === 'repair') {
    return { in: 'blocked-drain', accepted: true, detail: /is cleared/, effect: (status) => status.blocked === null };
  }
  if (input['planHash'] === 'HASH') {
    return name === 'approve'
      ? { in: 'waiting', accepted: true, detail: /is approved, with all its windows/, effect: operates }
      : {
          ...{ in: 'waiting', accepted: true, detail: /is rejected: / },
          effect: ({ blocked }) => blocked?.reason === 'approval-rejected',
        };
  }
  if (page === 'docs/approvals.md' && name === 'replan') {
    return {
      ...{ in: 'waiting', accepted: true, detail: /./ },
      effect: ({ phase }, _line, { plans }) => plans === 2 && phase === 'awaiting-approval',
    };
  }
  if (page === 'docs/approvals.md' && name === 'abort') {
    return { in: 'waiting', accepted: true, detail: /./, ends: 'aborted' };
  }
  if (page === 'docs/autonomy.md' && name === 'approve') {
    return { in: 'operating', accepted: false, detail: /no plan waits for approval/, effect: operates };
  }
  const expected = BY_NAME[name as MessageName];
  if (expected === undefined) throw new Error(`nothing is expected of ${line.text}`);
  return expected;
}
