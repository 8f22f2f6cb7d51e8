import type { Expression, FunctionDeclaration, Node as AnyNode } from 'ts-morph';
import { Node, SyntaxKind } from 'ts-morph';
import type { ChecksOf } from './checks.js';
import type { Sources } from './source.js';
import { calleeName, calls, isText, literal, nameOf, required, variable } from './source.js';

/** Why a message is not carried out, in the sources' own words; `<…>` stands for what is filled in. */
export interface Refusals {
  /** Before it is recorded: an update fails, a signal is listed under `refused`. */
  refused: readonly string[];
  /** After it was taken: the outcome says `accepted: false`. */
  notDone: readonly string[];
}

const PARSE = 'workflows/shared/parse.ts';
const MAILBOX = 'workflows/regionLifecycle/mailbox.ts';
const COMMANDS = 'workflows/regionLifecycle/commands.ts';
const LIFECYCLE = 'workflows/regionLifecycle/workflow.ts';
const SKIPPABLE_FILE = 'workflows/regionLifecycle/skippable.ts';

export function refusalsOf(sources: Sources, message: string, checks: ChecksOf): Refusals {
  return {
    refused: unique([...parseRefusals(sources, message, checks), ...mailboxRefusals(sources, message)]),
    notDone: unique([...commandRefusals(sources, message), ...blockRefusals(sources, message)]),
  };
}

function unique(lines: readonly string[]): string[] {
  return [...new Set(lines)];
}

function parseRefusals(sources: Sources, message: string, checks: ChecksOf): string[] {
  const file = sources.file(PARSE);
  const parse = required(file.getFunction('parseMessage'), file, 'parseMessage');
  const whole = templatesUnder(parse, 'reason').map((text) => text.replaceAll('<name>', message));
  const own = (checks[message] ?? []).flatMap(({ name, given }) => {
    const check = required(file.getFunction(name), file, name);
    const [field, max] = given;
    return reachable(check)
      .flatMap(problemTexts)
      .map((text) => filledIn(text, { field, max }));
  });
  return [...whole, ...own];
}

function filledIn(text: string, given: Readonly<Record<string, string | number | undefined>>): string {
  return text.replace(/<(field|max)>/g, (whole, name: string) => String(given[name] ?? whole));
}

/** Texts in the lists of problems that a check returns or adds to. */
function problemTexts(check: FunctionDeclaration): string[] {
  const listed = check
    .getDescendantsOfKind(SyntaxKind.ArrayLiteralExpression)
    .filter((list) => list.getFirstAncestorByKind(SyntaxKind.TemplateExpression) === undefined)
    .flatMap((list) => list.getElements());
  const pushed = calls(check).filter((call) => calleeName(call) === 'push');
  return [...listed, ...pushed.flatMap((call) => call.getArguments())].flatMap(textOf);
}

function mailboxRefusals(sources: Sources, message: string): string[] {
  const file = sources.file(MAILBOX);
  const mailbox = required(file.getClass('Mailbox'), file, 'Mailbox');
  const check = required(mailbox.getMethod('check'), file, 'check');
  const limits = required(file.getFunction('limitReached'), file, 'limitReached');
  const general = limits.getStatements().filter((statement) => Node.isIfStatement(statement));
  const returned = limits
    .getDescendantsOfKind(SyntaxKind.ConditionalExpression)
    .flatMap((choice) => textOf(choice.getWhenFalse()));
  // Past the one guard on the name, what the function returns is for that message alone.
  const guarded = general.some((statement) => statement.getExpression().getText() === `name !== '${message}'`);
  const always = general
    .flatMap((statement) => statement.getDescendantsOfKind(SyntaxKind.ReturnStatement))
    .flatMap((made) => textOf(made.getExpression()));
  return [...templatesUnder(check, 'reason'), ...always, ...(guarded ? returned : [])];
}

/** What `carryOut` and the functions of its file that it calls for this message answer with `accepted: false`. */
function commandRefusals(sources: Sources, message: string): string[] {
  const file = sources.file(COMMANDS);
  const carryOut = required(file.getFunction('carryOut'), file, 'carryOut');
  const clauses = carryOut.getDescendantsOfKind(SyntaxKind.CaseClause);
  const start = clauses.findIndex((clause) => clause.getExpression().getText() === `'${message}'`);
  const clause = clauses.slice(Math.max(0, start)).find((candidate) => candidate.getStatements().length > 0);
  const body = required(start < 0 ? undefined : clause, file, `a case for "${message}"`);
  return [body, ...reachable(body)].flatMap(refusedOutcomes).map((text) => text.replaceAll('<name>', message));
}

/** Functions of the same file that are called from here, directly or not. */
function reachable(from: AnyNode): FunctionDeclaration[] {
  const file = from.getSourceFile();
  const found = new Set<FunctionDeclaration>();
  const visit = (node: AnyNode): void => {
    if (Node.isFunctionDeclaration(node)) found.add(node);
    for (const call of calls(node)) {
      const called = file.getFunction(calleeName(call));
      if (called !== undefined && !found.has(called)) visit(called);
    }
  };
  visit(from);
  return [...found];
}

function refusedOutcomes(node: AnyNode): string[] {
  return node.getDescendantsOfKind(SyntaxKind.ObjectLiteralExpression).flatMap((made) => {
    const properties = new Map(made.getProperties().map((property) => [propertyName(property), property]));
    const accepted = properties.get('accepted');
    const refused = Node.isPropertyAssignment(accepted) && Node.isFalseLiteral(accepted.getInitializer());
    return refused ? texts(properties.get('detail')) : [];
  });
}

function propertyName(property: AnyNode): string {
  const named = Node.isPropertyAssignment(property) || Node.isShorthandPropertyAssignment(property);
  return named ? nameOf(property.getNameNode()) : '';
}

/** The step loop answers decisions at a block; a condition on a message's name says whose answer it is. */
function blockRefusals(sources: Sources, message: string): string[] {
  const file = sources.file(LIFECYCLE);
  const lifecycle = required(file.getClass('Lifecycle'), file, 'Lifecycle');
  const decision = required(lifecycle.getMethod('takeDecision'), file, 'takeDecision');
  const skippable = literal(variable(sources.file(SKIPPABLE_FILE), 'SKIPPABLE').getInitializer()) as string[];
  return decision
    .getDescendantsOfKind(SyntaxKind.IfStatement)
    .filter((condition) => condition.getExpression().getText().includes(`name === '${message}'`))
    .flatMap((condition) => refusedOutcomes(condition.getThenStatement()))
    .map((text) => text.replaceAll('<SKIPPABLE>', skippable.join(', ')));
}

function templatesUnder(node: AnyNode, property: string): string[] {
  const made = node.getDescendantsOfKind(SyntaxKind.PropertyAssignment);
  return made.filter((candidate) => propertyName(candidate) === property).flatMap(texts);
}

function texts(property: AnyNode | undefined): string[] {
  if (Node.isShorthandPropertyAssignment(property)) {
    const [declared] = property.getValueSymbol()?.getDeclarations() ?? [];
    return Node.isVariableDeclaration(declared) ? textOf(declared.getInitializer()) : [];
  }
  return Node.isPropertyAssignment(property) ? textOf(property.getInitializer()) : [];
}

/** A written text with `<name>` for what is filled in; `[]` for what is not written here, as a failing part's words. */
function textOf(node: AnyNode | undefined): string[] {
  if (isText(node)) return [node.getLiteralText()];
  if (Node.isIdentifier(node)) {
    const [declared] = node.getSymbol()?.getDeclarations() ?? [];
    return Node.isVariableDeclaration(declared) ? textOf(declared.getInitializer()) : [];
  }
  if (!Node.isTemplateExpression(node)) return [];
  const spans = node
    .getTemplateSpans()
    .map((span) => `<${placeholder(span.getExpression())}>${span.getLiteral().getLiteralText()}`);
  return [node.getHead().getLiteralText() + spans.join('')];
}

/** The last name of what is filled in: `rules.services.join(', ')` is `services`. */
function placeholder(node: Expression): string {
  if (Node.isCallExpression(node)) {
    const callee = node.getExpression();
    return Node.isPropertyAccessExpression(callee) && callee.getName() === 'join'
      ? placeholder(callee.getExpression())
      : 'text';
  }
  if (Node.isPropertyAccessExpression(node)) return node.getName();
  if (Node.isArrayLiteralExpression(node)) return 'names';
  if (Node.isBinaryExpression(node)) return placeholder(node.getLeft());
  return node.getText();
}
