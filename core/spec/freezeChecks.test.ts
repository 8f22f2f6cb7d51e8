import { describe, expect, it } from '@jest/globals';

import { approvalProblems, freezeProblems } from './freezeChecks.js';
import { fieldPath } from './fieldPath.js';

function found(...freezes: unknown[]): string[] {
  return freezeProblems({ freezes }).map((problem) => `${problem.code} ${fieldPath(problem.path)}`);
}

const once = { why: 'w', from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' };
const weekly = { from: 'Fri 16:00', to: 'Mon 08:00', timeZone: 'Europe/Berlin' };

describe('freezeProblems', () => {
  it('has nothing against what is once or weekly', () => {
    expect(found(once, { why: 'w', weekly })).toEqual([]);
    expect(freezeProblems({})).toEqual([]);
  });

  it('tells every one of them', () => {
    expect(
      found(
        { ...once, to: once.from },
        { ...once, from: '2026-01-03T00:00:00+01:00' },
        { why: 'w', weekly: { ...weekly, to: weekly.from } },
        { ...once, weekly },
        { why: 'w' },
        { why: 'w', from: once.from },
      ),
    ).toEqual([
      'bad-value freezes[0].to',
      'bad-value freezes[1].to',
      'bad-value freezes[2].weekly.to',
      'contradiction freezes[3].from',
      'contradiction freezes[3].to',
      'missing freezes[4]',
      'missing freezes[5].to',
    ]);
  });

  it('compares moments, not texts, and leaves to the schema what is no time', () => {
    expect(found({ ...once, from: '2026-01-02T00:30:00+01:00' })).toEqual([]);
    expect(found({ ...once, from: '2026-01-02T00:00:00-01:00' })).toEqual(['bad-value freezes[0].to']);
    expect(found({ ...once, from: 'now' }, { why: 'w', weekly: { ...weekly, from: 'x', to: 'x' } }, 'all')).toEqual([]);
  });
});

describe('approvalProblems', () => {
  it('wants to know who may not approve', () => {
    expect(approvalProblems({ approvals: { approverNotRequester: true } })).toMatchObject([
      { code: 'missing', path: ['approvals', 'requester'] },
    ]);
    expect(approvalProblems({ approvals: { approverNotRequester: true, requester: 'ada' } })).toEqual([]);
    expect(approvalProblems({ approvals: {} })).toEqual([]);
    expect(approvalProblems({})).toEqual([]);
  });
});
