import { isText } from './checkParts.js';
import { parseInstant } from './instant.js';
import type { Item, Raw } from './rawDocument.js';
import { isRecord, items, record } from './rawDocument.js';
import type { PathProblem } from './schemaProblems.js';
import { timeOfWeekMs } from './weekly.js';

/** Times in which nothing changes by itself: each once or every week, and of some length. */
export function freezeProblems(document: Raw): PathProblem[] {
  return items(document, 'freezes').flatMap((freeze) => [...kindProblems(freeze), ...lengthProblems(freeze)]);
}

function kindProblems({ path, value }: Item): PathProblem[] {
  const isWeekly = value['weekly'] !== undefined;
  const ends = ['from', 'to'] as const;
  const given = ends.filter((end) => value[end] !== undefined);
  if (isWeekly) {
    return given.map((end) => ({
      code: 'contradiction',
      path: [...path, end],
      atKey: true,
      message: 'is given, and "weekly" too: a freeze is once or every week',
      fix: 'keep one of the two',
    }));
  }
  if (given.length === 0) {
    const message = 'says neither when, "from" and "to", nor "weekly"';
    return [{ code: 'missing', path, message, fix: 'add "from" and "to", or "weekly"' }];
  }
  return ends
    .filter((end) => value[end] === undefined)
    .map((end) => ({
      code: 'missing',
      path: [...path, end],
      message: 'is missing',
      expected: 'ISO 8601 with a zone',
      fix: `add "${end}"`,
    }));
}

function lengthProblems({ path, value }: Item): PathProblem[] {
  const { from, to, weekly } = value;
  if (isRecord(weekly)) {
    const [begin, end] = [weekly['from'], weekly['to']];
    if (!isText(begin) || !isText(end) || timeOfWeekMs(begin) === null || begin !== end) return [];
    const message = `is where the freeze begins, "${begin}": it would have no length, or last for ever`;
    return [{ code: 'bad-value', path: [...path, 'weekly', 'to'], message, expected: 'another time of the week' }];
  }
  if (!isText(from) || !isText(to)) return [];
  const [begin, end] = [parseInstant(from), parseInstant(to)];
  if (begin === null || end === null || begin < end) return [];
  return [{ code: 'bad-value', path: [...path, 'to'], message: 'is not after "from"', expected: `after ${from}` }];
}

/** Somebody has to be the one who may not approve. */
export function approvalProblems(document: Raw): PathProblem[] {
  const approvals = record(document, 'approvals');
  if (approvals['approverNotRequester'] !== true || approvals['requester'] !== undefined) return [];
  return [
    {
      code: 'missing',
      path: ['approvals', 'requester'],
      message: 'is missing, and whoever asked for a plan may not approve it',
      expected: 'who launches the region',
      fix: 'add "requester", or set "approverNotRequester: false"',
    },
  ];
}
