import type { CallExpression, SourceFile, TypeNode, VariableDeclaration } from 'ts-morph';
import { Node, SyntaxKind } from 'ts-morph';
import { docsOfType } from './schema.js';
import type { Sources } from './source.js';
import { CatalogueError, calleeName, calls, docsOf, isText, literal, nameOf, required, variable } from './source.js';

export type MessageKind = 'signal' | 'update';

/** A signal, query or update as a define… call declares it. */
export interface Definition {
  kind: MessageKind | 'query';
  name: string;
  /** The constant that holds it; handlers and senders use it by this name. */
  constant: string;
  docs: string;
  argument: TypeNode | undefined;
  result: TypeNode | undefined;
}

export interface WorkflowSource {
  type: string;
  docs: string;
  /** Of the first parameter; the second is for continue-as-new alone. */
  input: TypeNode;
  result: TypeNode;
  /** The same for every region but for `<name>`. */
  workflowId: string;
  queries: Definition[];
}

/** What people may send, and by which way. */
export interface Message {
  name: string;
  kinds: MessageKind[];
  docs: string;
  argument: TypeNode;
  result: TypeNode;
}

/** From one workflow of a region to the other. */
export interface Internal {
  definition: Definition;
  to: string;
  from: string[];
}

export interface Definitions {
  workflows: WorkflowSource[];
  messages: Message[];
  internal: Internal[];
  taskQueue: string;
}

const MAILBOX = 'workflows/regionLifecycle/mailbox.ts';
const MESSAGES = 'workflows/regionLifecycle/messages.ts';
const NAMES = 'workflows/shared/names.ts';
const KIND_OF: Readonly<Record<string, Definition['kind']>> = {
  defineSignal: 'signal',
  defineUpdate: 'update',
  defineQuery: 'query',
};

export function readDefinitions(sources: Sources): Definitions {
  const defined = sources.under('workflows').filter(isCatalogued).flatMap(definitionsIn);
  const messages = messagesOf(sources, defined);
  const workflows = workflowsOf(sources, defined);
  const names = messages.map((message) => message.name);
  const others = defined.filter(({ kind, name }) => kind !== 'query' && !(kind === 'update' && names.includes(name)));
  return {
    workflows,
    messages,
    internal: others.map((definition) => internalOf(sources, definition)),
    taskQueue: String(literal(variable(sources.file(NAMES), 'TASK_QUEUE').getInitializer())),
  };
}

/** The fleet's are in docs/fleet.md, whose lines a test of their own checks. */
function isCatalogued(file: SourceFile): boolean {
  return !file.getFilePath().includes('/workflows/fleet/');
}

function definitionsIn(file: SourceFile): Definition[] {
  return file.getVariableDeclarations().flatMap((declared) => {
    const docs = docsOf(declared.getVariableStatement());
    return madeBy(declared).flatMap((call) => {
      const kind = KIND_OF[calleeName(call)];
      if (kind === undefined) return [];
      const types = call.getTypeArguments();
      const [result, list] = kind === 'signal' ? [undefined, types[0]] : types;
      const argument = Node.isTupleTypeNode(list) ? list.getElements()[0] : undefined;
      const constant = declared.getName();
      // What is said of a table is said of no one entry.
      const own = call.getParent() === declared ? docs : '';
      return [{ kind, name: String(literal(asExpression(call))), constant, docs: own, argument, result }];
    });
  });
}

/** The call that makes a constant, or those that make the entries of a table. */
function madeBy(declared: VariableDeclaration): CallExpression[] {
  const initializer = declared.getInitializer();
  const value = Node.isAsExpression(initializer) ? initializer.getExpression() : initializer;
  if (Node.isCallExpression(value)) return [value];
  if (!Node.isObjectLiteralExpression(value)) return [];
  return value.getProperties().flatMap((property) => {
    const entry = Node.isPropertyAssignment(property) ? property.getInitializer() : undefined;
    return Node.isCallExpression(entry) ? [entry] : [];
  });
}

function asExpression(call: CallExpression): Parameters<typeof literal>[0] {
  const [first] = call.getArguments();
  return Node.isExpression(first) ? first : undefined;
}

/** The names, the map of their types, the define… calls and the registration must agree before any is listed. */
function messagesOf(sources: Sources, defined: readonly Definition[]): Message[] {
  const file = sources.file(MESSAGES);
  const inputs = required(file.getInterface('MessageInputs'), file, 'MessageInputs').getProperties();
  const names = literal(variable(file, 'MESSAGE_NAMES').getInitializer()) as string[];
  const updates = defined.filter((definition) => definition.kind === 'update');
  const listed = { MessageInputs: inputs.map((input) => nameOf(input.getNameNode())), MESSAGE_NAMES: names };
  const all = [...new Set([...listed.MessageInputs, ...names, ...updates.map((update) => update.name)])];
  const kinds = registeredKinds(sources);
  return all.map((name) => {
    const input = inputs.find((property) => nameOf(property.getNameNode()) === name);
    const update = updates.find((definition) => definition.name === name);
    const argument = input?.getTypeNode();
    if (argument === undefined) throw new CatalogueError(`message "${name}" is missing from MessageInputs`);
    if (!names.includes(name)) throw new CatalogueError(`message "${name}" is missing from MESSAGE_NAMES`);
    if (update?.result === undefined) throw new CatalogueError(`message "${name}" has no defineUpdate call`);
    if (update.argument?.getType().getText() !== argument.getType().getText()) {
      throw new CatalogueError(`message "${name}": MessageInputs and its defineUpdate call differ in type`);
    }
    // What several messages share says nothing of any one of them.
    const shared = inputs.filter((other) => other.getTypeNode()?.getText() === argument.getText()).length > 1;
    const typeDocs = shared ? '' : docsOfType(argument.getType());
    const docs = docsOf(input) || update.docs || typeDocs || commandDescription(sources, name);
    return { name, kinds, docs, argument, result: update.result };
  });
}

/** A definition made in place, or the entry of a table of updates. */
function kindOfHandler(made: Node | undefined): string | undefined {
  if (Node.isCallExpression(made)) return KIND_OF[calleeName(made)];
  const entry = Node.isAsExpression(made) ? made.getExpression() : made;
  return Node.isElementAccessExpression(entry) && entry.getExpression().getText() === 'UPDATES' ? 'update' : undefined;
}

/** How the mailbox takes every name of MESSAGE_NAMES. */
function registeredKinds(sources: Sources): MessageKind[] {
  const file = sources.file(MAILBOX);
  const loop = file
    .getDescendantsOfKind(SyntaxKind.ForOfStatement)
    .find((statement) => statement.getExpression().getText() === 'MESSAGE_NAMES');
  const registering = required(loop && calls(loop)[0], file, 'a loop over MESSAGE_NAMES');
  const mailbox = required(file.getClass('Mailbox'), file, 'Mailbox');
  const register = required(mailbox.getMethod(calleeName(registering)), file, calleeName(registering));
  const handlers = calls(register).filter((call) => calleeName(call) === 'setHandler');
  return handlers.map((handler) => {
    const [made] = handler.getArguments();
    const kind = kindOfHandler(made);
    if (kind !== 'signal' && kind !== 'update') throw new CatalogueError(`${MAILBOX}: unreadable handler`);
    return kind;
  });
}

/** The one line that the command line shows for a message. */
function commandDescription(sources: Sources, name: string): string {
  const found = calls(sources.file('cli/region.ts')).find((call) => {
    const [, given] = call.getArguments();
    return calleeName(call) === 'registerMessage' && isText(given) && given.getLiteralText() === name;
  });
  const description = found?.getArguments()[2];
  // Names of the command's own arguments stand at the end.
  return isText(description) ? description.getLiteralText().replace(/: [A-Z ]+$/, '') : '';
}

function workflowsOf(sources: Sources, defined: readonly Definition[]): WorkflowSource[] {
  const index = sources.file('workflows/index.ts');
  const exported = index.getExportDeclarations().flatMap((declaration) => {
    const file = required(declaration.getModuleSpecifierSourceFile(), index, declaration.getText());
    return declaration.getNamedExports().map((named) => ({ type: named.getName(), file }));
  });
  const listed = exported.filter(({ file }) => isCatalogued(file));
  return listed.map(({ type, file }) => {
    const made = required(file.getFunction(type), file, type);
    const input = required(made.getParameters()[0]?.getTypeNode(), file, `a typed input of ${type}`);
    const promise = made.getReturnTypeNode();
    const result = Node.isTypeReference(promise) ? promise.getTypeArguments()[0] : undefined;
    return {
      type,
      docs: docsOf(made),
      input,
      result: required(result, file, `a typed result of ${type}`),
      workflowId: workflowIdOf(sources, type),
      queries: defined.filter(
        (definition) => definition.kind === 'query' && handledBy(sources, definition).includes(type),
      ),
    };
  });
}

/** `REGION_WORKFLOW_TYPE` and `regionWorkflowId` belong together by their names. */
function workflowIdOf(sources: Sources, type: string): string {
  const file = sources.file(NAMES);
  const constant = file.getVariableDeclarations().find((declared) => {
    const value = declared.getInitializer();
    return declared.getName().endsWith('_WORKFLOW_TYPE') && isText(value) && value.getLiteralText() === type;
  });
  const prefix = required(constant, file, `a constant for ${type}`).getName().replace('_WORKFLOW_TYPE', '');
  const made = required(file.getFunction(`${prefix.toLowerCase()}WorkflowId`), file, `the id of ${type}`);
  const template = made.getDescendantsOfKind(SyntaxKind.TemplateExpression)[0];
  return required(template, file, `a template in ${made.getName()}`)
    .getText()
    .slice(1, -1)
    .replace(/\$\{[^}]*\}/g, '<name>');
}

/** What registers a handler: the SDK's own, and the mailbox's for reports between workflows. */
const HANDLES: readonly string[] = ['setHandler', 'listen'];

function usesOf(sources: Sources, constant: string, isHandler: boolean): string[] {
  const using = sources.under('workflows').filter((file) =>
    calls(file).some((call) => {
      const uses = call.getArguments().some((argument) => argument.getText() === constant);
      return uses && HANDLES.includes(calleeName(call)) === isHandler;
    }),
  );
  return [...new Set(using.map((file) => sources.relative(file).split('/')[1] ?? ''))];
}

function handledBy(sources: Sources, definition: Definition): string[] {
  return usesOf(sources, definition.constant, true);
}

function internalOf(sources: Sources, definition: Definition): Internal {
  const [to] = handledBy(sources, definition);
  if (to === undefined) throw new CatalogueError(`${definition.kind} "${definition.name}" has no handler`);
  return { definition, to, from: usesOf(sources, definition.constant, false) };
}
