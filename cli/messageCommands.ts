import type { MessageName } from '../workflows/regionLifecycle/messages.js';

/** How a message is given on the command line. */
export interface MessageCommand {
  name: MessageName;
  description: string;
  /** In order; their values become fields of the message. */
  arguments?: readonly MessageField[];
  options?: readonly MessageField[];
  /** What it does, where it has to be confirmed by the region's name. */
  danger?: string;
}

export interface MessageField {
  field: string;
  /** As it is shown; of an option its whole flag. */
  shown: string;
  description: string;
  choices?: readonly string[];
  /** Absent where it must be given. */
  optional?: true;
  /** A number where it looks like one. */
  numeric?: true;
}

const ADDRESS = { field: 'address', shown: 'address', description: '<service>.<field> or <service>.weight.<region>' };
const HASH: MessageField = {
  field: 'planHash',
  shown: 'hash',
  description: 'of the plan, or its first 12 digits and more; absent: the one that waits, once it is confirmed',
  optional: true,
};

/** Every message to a region; what is the same of all is added by whoever registers them. */
export const MESSAGE_COMMANDS: readonly MessageCommand[] = [
  { name: 'freeze', description: 'stop every automatic change until resume' },
  { name: 'resume', description: 'allow automatic changes again; bring back the plan, the tuner, the users' },
  { name: 'replan', description: 'forecast and plan anew, and put the new plan in force' },
  { name: 'retry', description: 'at a block: try the failed step again' },
  { name: 'skip', description: 'at a block: go on without the failed step, where that is safe' },
  {
    name: 'abort',
    description: 'at a block: send the users back and end',
    danger: 'sends the users back to where they came from and ends the region',
  },
  {
    name: 'override',
    description: 'set one live setting to a value of yours',
    arguments: [ADDRESS, { field: 'value', shown: 'value', description: 'number or name', numeric: true }],
    options: [
      {
        field: 'until',
        shown: '--until <time>',
        description: 'ISO 8601 with zone; absent: until cleared',
        optional: true,
      },
    ],
  },
  { name: 'clear-override', description: 'give a setting back to the program', arguments: [ADDRESS] },
  {
    name: 'rollback',
    description: 'put an earlier deployment back, and freeze',
    arguments: [{ field: 'to', shown: 'to', description: 'id of a deployment, "previous", or "0": before the first' }],
    danger: 'puts an earlier deployment back on every proxy and freezes the region',
  },
  { name: 'approve', description: 'let the plan that waits be put in force', arguments: [HASH] },
  { name: 'reject', description: 'refuse the plan that waits; what runs stays', arguments: [HASH] },
  {
    name: 'drain',
    description: 'send the users to other regions step by step; the mesh stands by',
    danger: 'sends all users of the region to other regions',
  },
  {
    name: 'release',
    description: 'let go of the mesh as it runs, and end',
    danger: 'ends the region: nobody looks after its mesh afterwards, which runs on as it is',
  },
  {
    name: 'retire',
    description: 'send the users away, put back what was there before the first write, and end',
    danger: 'sends all users away, takes our configuration off every proxy and ends the region',
  },
  {
    name: 'set-autonomy',
    description: 'how far the program may go by itself from now on',
    arguments: [
      { field: 'level', shown: 'level', description: 'how far', choices: ['observe', 'suggest', 'approve', 'act'] },
    ],
    options: [
      {
        field: 'service',
        shown: '--service <name>',
        description: 'of this service alone; absent: of all',
        optional: true,
      },
      {
        field: 'class',
        shown: '--class <name>',
        description: 'rateLimit, breaker, retry, weight …; absent: every class of settings',
        optional: true,
      },
    ],
  },
  { name: 'take-over', description: 'the program observes and changes nothing by itself until hand-back' },
  { name: 'hand-back', description: 'after take-over: the program may act again' },
  { name: 'continue-as-new', description: 'break-glass: go on in a new run, on the newest code' },
  {
    name: 'repair',
    description: 'break-glass: put right what the workflow believes, never what runs',
    arguments: [
      {
        field: 'field',
        shown: 'field',
        description: 'what it believes',
        choices: ['current-hash', 'epoch', 'blocked', 'tuner'],
      },
      { field: 'value', shown: 'value', description: 'a number for epoch, else a hash or "none"', numeric: true },
    ],
    danger: 'changes what the region believes of its mesh without looking at it',
  },
];
