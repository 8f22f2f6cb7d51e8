import type { Argument, Command, Option } from 'commander';

/** A command as completion and pages see it. */
export interface CommandNode {
  /** Words from `psmg` on, e.g. `psmg region override`. */
  path: string;
  description: string;
  commands: readonly { name: string; description: string }[];
  /** Its own, then those of the commands above it. */
  flags: readonly Flag[];
  arguments: readonly Values[];
  /** What may follow them, again and again; `null`: nothing. */
  rest: Values | null;
}

export interface Flag {
  /** `--why` */
  long: string;
  description: string;
  /** `null`: it takes none. */
  values: Values | null;
}

/** What may stand in a place: words, the name of a region that runs, a file, or anything. */
export type Values =
  { kind: 'words'; words: readonly string[] } | { kind: 'region' } | { kind: 'file' } | { kind: 'any' };

/** Every command that is shown, the whole tree flat, a parent before its own. */
export function commandTree(program: Command): CommandNode[] {
  return walk(program, program.name(), []);
}

function walk(command: Command, path: string, inherited: readonly Flag[]): CommandNode[] {
  const help = command.createHelp();
  const shown = help.visibleCommands(command);
  // Of those added by commander itself there is no command to walk into.
  const own = shown.filter((one) => command.commands.includes(one));
  const last = command.registeredArguments.at(-1);
  const flags = [...help.visibleOptions(command).flatMap(flagOf), ...inherited];
  const node = {
    path,
    description: command.description(),
    commands: shown.map((one) => ({ name: one.name(), description: one.description() })),
    flags: unique(flags),
    arguments: command.registeredArguments.map(argumentValues),
    rest: last?.variadic === true ? argumentValues(last) : null,
  };
  return [node, ...own.flatMap((one) => walk(one, `${path} ${one.name()}`, node.flags))];
}

function unique(flags: readonly Flag[]): Flag[] {
  return flags.filter((flag, index) => flags.findIndex((one) => one.long === flag.long) === index);
}

function flagOf(option: Option): Flag[] {
  if (option.long === undefined || option.long === null) return [];
  const [, shown] = /[<[]([^\]>]+)[\]>]/.exec(option.flags) ?? [];
  const values = shown === undefined ? null : valuesOf(option.argChoices, [shown, option.long.slice(2)]);
  return [{ long: option.long, description: option.description, values }];
}

function argumentValues(argument: Argument): Values {
  return valuesOf(argument.argChoices, [argument.name()]);
}

function valuesOf(choices: readonly string[] | undefined, names: readonly string[]): Values {
  if (choices !== undefined) return { kind: 'words', words: choices };
  const is = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  if (is(/^region$/)) return { kind: 'region' };
  return is(/^(file|files|path|paths|dir|folder|source|sources|plan|project)(\.\.\.)?$/)
    ? { kind: 'file' }
    : { kind: 'any' };
}
