import { createHash } from 'node:crypto';
import path from 'node:path';
import type { CallExpression, Node } from 'ts-morph';
import { Project, SyntaxKind } from 'ts-morph';
import type { HistoryEventJson, HistoryJson } from '../../workers/history.js';
import { eventOf } from '../../workers/history.js';

/**
 * What asks the server for something, in the order of the source: by function of the workflows, and of every kept
 * history. A reviewer sees a change of it in the committed file, before a replay says what it breaks.
 */
export interface Fingerprints {
  /** By workflow's folder: a hash over its functions. */
  workflows: Record<string, string>;
  /** `<file>#<function>` → commands; `→ name` is a call of a function that has some. */
  functions: Record<string, string[]>;
  /** By version and file: number and hash of its commands. */
  histories: Record<string, string>;
}

const shortHash = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);

/** @param folder a copy of `workflows/` */
export function fingerprintFunctions(folder: string): Record<string, string[]> {
  const project = new Project({ skipAddingFilesFromTsConfig: true, compilerOptions: { allowJs: false } });
  project.addSourceFilesAtPaths([path.join(folder, '**/*.ts'), `!${path.join(folder, '**/*.test.ts')}`]);
  const bodies = new Map<string, readonly CallExpression[]>();
  const activities = new Set<string>();
  for (const file of project.getSourceFiles()) {
    const name = path.relative(folder, file.getFilePath());
    if (name === path.join('shared', 'activities.ts')) {
      for (const element of file.getDescendantsOfKind(SyntaxKind.BindingElement)) activities.add(element.getName());
    }
    for (const call of file.getDescendantsOfKind(SyntaxKind.CallExpression)) {
      const key = `${name}#${ownerOf(call)}`;
      bodies.set(key, [...(bodies.get(key) ?? []), call]);
    }
  }
  const withCommands = transitively(bodies, activities);
  const found = [...bodies].map(([key, calls]): [string, string[]] => [
    key,
    calls.flatMap(
      (call) => commandOf(call, activities) ?? (withCommands.has(calledName(call)) ? `→ ${calledName(call)}` : []),
    ),
  ]);
  return Object.fromEntries(found.filter(([, commands]) => commands.length > 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function hashWorkflows(functions: Readonly<Record<string, string[]>>): Record<string, string> {
  const folders = [...new Set(Object.keys(functions).map((key) => key.split(path.sep)[0] ?? ''))];
  return Object.fromEntries(
    folders.map((folder) => [folder, shortHash(Object.entries(functions).filter(([key]) => key.startsWith(folder)))]),
  );
}

/** The named function, method or class that a call stands in; of the module itself: `module`. */
function ownerOf(node: Node): string {
  for (let at = node.getParent(); at !== undefined; at = at.getParent()) {
    if (at.isKind(SyntaxKind.FunctionDeclaration)) return at.getName() ?? 'default';
    if (at.isKind(SyntaxKind.MethodDeclaration) || at.isKind(SyntaxKind.GetAccessor)) {
      return `${at.getParentIfKind(SyntaxKind.ClassDeclaration)?.getName() ?? ''}.${at.getName()}`;
    }
    if (at.isKind(SyntaxKind.Constructor))
      return `${at.getParentIfKind(SyntaxKind.ClassDeclaration)?.getName() ?? ''}.new`;
  }
  return 'module';
}

/** The last name of what is called: `region.audit.note(…)` → `note`. */
function calledName(call: CallExpression): string {
  const callee = call.getExpression();
  return callee.isKind(SyntaxKind.PropertyAccessExpression) ? callee.getName() : callee.getText();
}

function commandOf(call: CallExpression, activities: ReadonlySet<string>): string | null {
  const name = calledName(call);
  const [first, second] = call.getArguments();
  if (activities.has(name)) return `activity ${name}`;
  switch (name) {
    case 'condition':
      return second === undefined ? null : 'timer';
    case 'sleep':
      return 'timer';
    case 'startChild':
    case 'executeChild':
      return `child ${first?.getText() ?? ''}`;
    case 'signal':
      return `signal ${first?.getText() ?? ''}`;
    case 'cancel':
    case 'upsertSearchAttributes':
    case 'upsertMemo':
      return name;
    case 'patched':
    case 'deprecatePatch':
      return `patch ${first?.getText() ?? ''}`;
    case 'nextRun':
    case 'continueAsNew':
      return 'continue as new';
    default:
      return null;
  }
}

function transitively(
  bodies: ReadonlyMap<string, readonly CallExpression[]>,
  activities: ReadonlySet<string>,
): ReadonlySet<string> {
  const named = [...bodies].map(([key, calls]) => ({ name: key.split(/[#.]/).at(-1) ?? key, calls }));
  const found = new Set<string>();
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const { name, calls } of named) {
      if (calls.some((call) => commandOf(call, activities) !== null || found.has(calledName(call)))) found.add(name);
    }
  }
  return found;
}

/** Events that a command of the workflow brought about. */
const OF_COMMANDS =
  /(ACTIVITY_TASK_SCHEDULED|TIMER_STARTED|TIMER_CANCELED|ACTIVITY_TASK_CANCEL_REQUESTED|_INITIATED|MARKER_RECORDED|UPSERT_WORKFLOW_SEARCH_ATTRIBUTES|PROPERTIES_MODIFIED|UPDATE_ACCEPTED|UPDATE_COMPLETED|EXECUTION_COMPLETED|EXECUTION_FAILED|EXECUTION_CANCELED|CONTINUED_AS_NEW)$/;

export function fingerprintHistory({ events }: HistoryJson): string {
  const commands = events.filter((event: HistoryEventJson) => OF_COMMANDS.test(event.eventType)).map(eventOf);
  return `${commands.length} ${shortHash(commands)}`;
}

/** A line for everything that is not as it was, by its name. */
export function differences(was: Fingerprints, is: Fingerprints): string[] {
  return [...changes('function', was.functions, is.functions), ...changes('history', was.histories, is.histories)];
}

function changes(
  what: string,
  was: Readonly<Record<string, string | readonly string[]>>,
  is: Readonly<Record<string, string | readonly string[]>>,
): string[] {
  const told = (value: string | readonly string[] | undefined): string => [value ?? 'nothing'].flat().join(', ');
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((name) => told(was[name]) !== told(is[name]))
    .map((name) => `${what} ${name}: was ${told(was[name])}; is ${told(is[name])}`);
}
