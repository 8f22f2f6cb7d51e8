import type { Node as AnyNode, TypeNode } from 'ts-morph';
import { Node, SyntaxKind } from 'ts-morph';
import { readChecks, narrowed } from './checks.js';
import type { Definition, Internal, Message, WorkflowSource } from './definitions.js';
import { readDefinitions } from './definitions.js';
import type { Refusals } from './refusals.js';
import { refusalsOf } from './refusals.js';
import { sampleOf } from './samples.js';
import type { JsonSchema } from './schema.js';
import { schemaDocument } from './schema.js';
import type { Setting } from './settings.js';
import { readSettings } from './settings.js';
import type { Sources } from './source.js';
import { CatalogueError, calleeName, calls, isText, literal, required, variable } from './source.js';

/** A schema and where it is kept, relative to the project. */
export interface SchemaFile {
  path: string;
  schema: JsonSchema;
}

export interface CatalogueWorkflow extends WorkflowSource {
  inputSchema: SchemaFile;
  /** `null`: the workflow returns nothing. */
  resultSchema: SchemaFile | null;
  /** Whether people start it; the other one is started by its region. */
  forPeople: boolean;
  queryResults: readonly { query: Definition; result: SchemaFile }[];
}

export interface CatalogueMessage extends Message, Refusals {
  argumentSchema: SchemaFile;
  resultSchema: SchemaFile;
  samples: readonly { kind: Message['kinds'][number]; sample: Readonly<Record<string, unknown>> }[];
}

export interface CatalogueInternal extends Internal {
  argumentSchema: SchemaFile;
}

/** Everything that the catalogue tells, read from the sources. */
export interface Model {
  workflows: readonly CatalogueWorkflow[];
  messages: readonly CatalogueMessage[];
  internal: readonly CatalogueInternal[];
  settings: readonly Setting[];
  taskQueue: string;
  phases: readonly string[];
  steps: readonly string[];
  /** With the sources that give a reason by its name, and the steps that fall back to it. */
  blocked: readonly { reason: string; givenBy: readonly string[]; steps: readonly string[] }[];
  /** Failure types: what a start ends with, and what a refused update fails with. */
  failures: { start: readonly string[]; update: readonly string[] };
}

const FOLDER = 'docs/schemas';

export function readModel(sources: Sources): Model {
  const definitions = readDefinitions(sources);
  const settings = readSettings(sources);
  const checks = readChecks(sources);
  const [region] = definitions.messages.length === 0 ? [] : startedByPeople(definitions.workflows);
  return {
    workflows: definitions.workflows.map((workflow) => workflowOf(workflow, workflow.type === region)),
    messages: definitions.messages.map((message): CatalogueMessage => {
      const written = schemaFile('arguments', message.name, message.argument);
      const narrow = narrowed(message.name, written.schema, checks, settings);
      const samples = message.kinds.map((kind) => ({ kind, sample: sampleOf(message.name, kind, narrow) }));
      return {
        ...message,
        ...refusalsOf(sources, message.name, checks),
        argumentSchema: { ...written, schema: { ...narrow, examples: samples.map(({ sample }) => sample) } },
        resultSchema: resultFile(message.result),
        samples,
      };
    }),
    internal: definitions.internal.map((internal) => {
      const { name, argument } = internal.definition;
      if (argument === undefined) throw new CatalogueError(`signal "${name}" has no typed argument`);
      return { ...internal, argumentSchema: schemaFile('internal', name, argument) };
    }),
    settings,
    taskQueue: definitions.taskQueue,
    ...vocabulary(sources),
  };
}

/** People start what takes plain text; what takes references to artifacts is started by another workflow. */
function startedByPeople(workflows: readonly WorkflowSource[]): string[] {
  return workflows.filter((workflow) => workflow.input.getType().isUnknown()).map((workflow) => workflow.type);
}

function workflowOf(workflow: WorkflowSource, forPeople: boolean): CatalogueWorkflow {
  const returnsNothing = workflow.result.getType().isVoid();
  return {
    ...workflow,
    forPeople,
    inputSchema: forPeople ? textInput(workflow) : schemaFile('internal', workflow.type, workflow.input),
    resultSchema: returnsNothing ? null : resultFile(workflow.result),
    queryResults: workflow.queries.map((query) => {
      if (query.result === undefined) throw new CatalogueError(`query "${query.name}" has no typed result`);
      return { query, result: resultFile(query.result) };
    }),
  };
}

/** The type is `unknown` so that a wrong input is refused in words; what is wanted is the text of a region file. */
function textInput(workflow: WorkflowSource): SchemaFile {
  const file = schemaFile('arguments', workflow.type, workflow.input);
  const description = 'The text of a region file: this JSON string, or the bytes of the file as they are.';
  return { ...file, schema: { ...file.schema, description, type: 'string', pattern: '\\S' } };
}

function schemaFile(folder: string, name: string, node: TypeNode): SchemaFile {
  return { path: `${FOLDER}/${folder}/${name}.json`, schema: schemaDocument(`urn:psmg:${folder}:${name}`, name, node) };
}

/** Results go by the name of their type: all updates answer with the same one. */
function resultFile(node: TypeNode): SchemaFile {
  return schemaFile('results', node.getText().replace(/\W/g, ''), node);
}

function vocabulary(sources: Sources): Pick<Model, 'phases' | 'steps' | 'blocked' | 'failures'> {
  const lifecycle = sources.file('core/spec/lifecycle.ts');
  const values = (file: typeof lifecycle, name: string): string[] => {
    return literalsOf(required(file.getTypeAlias(name), file, name).getTypeNode());
  };
  const reasons = values(lifecycle, 'BlockedReason');
  const fallback = literal(
    variable(sources.file('workflows/regionLifecycle/steps.ts'), 'FALLBACK_REASON').getInitializer(),
  );
  const steps = Object.entries(fallback as Record<string, string>);
  const given = givenTexts(sources);
  const failures = values(sources.file('activities/errors.ts'), 'FailureReason');
  return {
    phases: values(lifecycle, 'Phase'),
    steps: values(lifecycle, 'Step'),
    blocked: reasons.map((reason) => ({
      reason,
      givenBy: given.filter(([, texts]) => texts.has(reason)).map(([file]) => file),
      steps: steps.filter(([, fallen]) => fallen === reason).map(([step]) => step),
    })),
    failures: { start: failures.filter((type) => !reasons.includes(type)), update: thrownTypes(sources) },
  };
}

/** In the order in which they are written; the compiler's own order depends on what it read first. */
function literalsOf(node: TypeNode | undefined): string[] {
  if (Node.isUnionTypeNode(node)) return node.getTypeNodes().flatMap(literalsOf);
  return node?.getType().isUnion() === true
    ? node
        .getType()
        .getUnionTypes()
        .map((part) => String(part.getLiteralValue()))
    : [String(node?.getType().getLiteralValue())];
}

/** By file, the texts that it writes out as values, except where it only lists all reasons. */
function givenTexts(sources: Sources): [file: string, texts: ReadonlySet<string>][] {
  const files = [...sources.under('activities'), ...sources.under('workflows')];
  return files.map((file) => {
    const texts = new Set<string>();
    file.forEachDescendant((node) => {
      if (Node.isStringLiteral(node) && isGiven(node) && !isFallback(node)) texts.add(node.getLiteralText());
    });
    return [sources.relative(file).replace(/\.ts$/, ''), texts];
  });
}

/** Not a type, a key or a side of a comparison. */
function isGiven(text: AnyNode): boolean {
  const parent = text.getParent();
  if (Node.isLiteralTypeNode(parent) || Node.isBinaryExpression(parent)) return false;
  return !Node.isPropertyAssignment(parent) || parent.getNameNode() !== text;
}

function isFallback(text: AnyNode): boolean {
  return text.getFirstAncestorByKind(SyntaxKind.VariableDeclaration)?.getName() === 'FALLBACK_REASON';
}

/** Types of the failures that workflows raise themselves; they do so in validators alone. */
function thrownTypes(sources: Sources): string[] {
  const raised = sources
    .under('workflows')
    .flatMap(calls)
    .filter((call) => calleeName(call) === 'nonRetryable');
  const types = raised.map((call) => call.getArguments()[1]).filter(isText);
  return [...new Set(types.map((type) => type.getLiteralText()))];
}
