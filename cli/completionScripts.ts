import type { CommandNode, Flag, Values } from './commandTree.js';
import { quoted } from './shellWord.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function completionScript(shell: Shell, tree: readonly CommandNode[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(tree);
    case 'zsh':
      return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(tree)}`;
    case 'fish':
      return fishScript(tree);
  }
}

/** The words that may stand in a place, or what the shell finds them by. */
function told(values: Values): string {
  return values.kind === 'words' ? values.words.join(' ') : `@${values.kind}`;
}

function cases(name: string, rows: readonly (readonly [string, string])[]): string {
  const body = rows.map(([key, words]) => `    ${quoted(key)}) echo ${quoted(words)} ;;`);
  return [`${name}() {`, '  case "$1" in', ...body, '    *) return 1 ;;', '  esac', '}'].join('\n');
}

function bashScript(tree: readonly CommandNode[]): string {
  const commands = tree.flatMap(({ path, commands: list }): [string, string][] =>
    list.length === 0 ? [] : [[path, list.map(({ name }) => name).join(' ')]],
  );
  const flags = tree.map(({ path, flags: list }): [string, string] => [path, list.map(({ long }) => long).join(' ')]);
  const values = tree.flatMap(({ path, flags: list }) =>
    list.flatMap(({ long, values: may }): [string, string][] => (may === null ? [] : [[`${path} ${long}`, told(may)]])),
  );
  const places = tree.flatMap(({ path, arguments: list, rest }): [string, string][] => [
    ...list.map((may, index): [string, string] => [`${path} ${index}`, told(may)]),
    ...(rest === null ? [] : [[`${path} rest`, told(rest)] as [string, string]]),
  ]);
  return [
    '# Completion of psmg: source <(psmg completion bash)',
    cases('_psmg_commands', commands),
    cases('_psmg_flags', flags),
    cases('_psmg_values', values),
    cases('_psmg_place', places),
    BASH_LOGIC,
  ].join('\n');
}

/** Names of regions are asked for at most twice a minute. Variables `path` and `words` would be zsh's own. */
const BASH_LOGIC = `_psmg_region_names=""
_psmg_regions_until=0
_psmg_regions() {
  if [ "$SECONDS" -ge "$_psmg_regions_until" ]; then
    _psmg_region_names="$("$1" __complete regions 2>/dev/null | tr '\\n' ' ')"
    _psmg_regions_until=$((SECONDS + 30))
  fi
}
_psmg() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" at=psmg place=0 flag="" word may i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [ -n "$flag" ]; then
      flag=""
    elif [ "\${word#-}" != "$word" ]; then
      _psmg_values "$at $word" >/dev/null && flag="$word"
    else
      case " $(_psmg_commands "$at") " in
        *" $word "*) at="$at $word" place=0 ;;
        *) place=$((place + 1)) ;;
      esac
    fi
  done
  if [ -n "$flag" ]; then
    may="$(_psmg_values "$at $flag")"
  elif [ "\${cur#-}" != "$cur" ]; then
    may="$(_psmg_flags "$at")"
  else
    may="$(_psmg_commands "$at")" || may="$(_psmg_place "$at $place")" || may="$(_psmg_place "$at rest")" || may="@any"
  fi
  case "$may" in
    @file) COMPREPLY=($(compgen -f -- "$cur")) ;;
    @any) ;;
    @region)
      _psmg_regions "\${COMP_WORDS[0]}"
      COMPREPLY=($(compgen -W "$_psmg_region_names" -- "$cur"))
      ;;
    *) COMPREPLY=($(compgen -W "$may" -- "$cur")) ;;
  esac
}
complete -o filenames -F _psmg psmg
`;

function fishScript(tree: readonly CommandNode[]): string {
  const paths = tree.map(({ path }) => quoted(path)).join(' ');
  return [
    '# Completion of psmg: psmg completion fish | source',
    'function __psmg_at',
    '  set -l path psmg',
    '  for word in (commandline -opc)[2..]',
    `    contains -- "$path $word" ${paths}; and set path "$path $word"`,
    '  end',
    '  test "$path" = "$argv[1]"',
    'end',
    'complete -c psmg -f',
    ...tree.flatMap((node) => [
      ...fishCommands(node),
      ...fishPlaces(node),
      ...node.flags.map((f) => fishFlag(node, f)),
    ]),
    '',
  ].join('\n');
}

function at({ path }: CommandNode): string {
  return `complete -c psmg -n ${fishQuoted(`__psmg_at "${path}"`)}`;
}

function fishCommands(node: CommandNode): string[] {
  return node.commands.map(({ name, description }) => `${at(node)} -a ${name} -d ${fishQuoted(description)}`);
}

/** Without regard to which place it is: fish offers what any of them takes. */
function fishPlaces(node: CommandNode): string[] {
  return node.arguments.flatMap((values) => {
    const how = fishValues(values);
    return how === '' ? [] : [`${at(node)}${how}`];
  });
}

function fishFlag(node: CommandNode, { long, description, values }: Flag): string {
  const taken = values === null ? '' : `${values.kind === 'file' ? ' -r' : ' -x'}${fishValues(values)}`;
  return `${at(node)} -l ${long.replace(/^--/, '')} -d ${fishQuoted(description)}${taken}`;
}

function fishValues(values: Values): string {
  switch (values.kind) {
    case 'words':
      return ` -a ${fishQuoted(values.words.join(' '))}`;
    case 'region':
      return ` -a '(psmg __complete regions 2>/dev/null)'`;
    case 'file':
      return ' -F';
    case 'any':
      return '';
  }
}

/** Fish knows the backslash inside single quotes. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
