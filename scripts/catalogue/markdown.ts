import { valueSchema } from './checks.js';
import type { CatalogueInternal, CatalogueMessage, CatalogueWorkflow, Model, SchemaFile } from './model.js';
import { SAMPLE_FILE, SAMPLE_REGION } from './samples.js';
import type { JsonSchema } from './schema.js';
import type { Setting } from './settings.js';

const SETTINGS_TITLE = 'Settings that an override may name';
const SETTINGS_ANCHOR = SETTINGS_TITLE.toLowerCase().replaceAll(' ', '-');

/** The page as Markdown, not yet laid out. */
export function catalogueText(model: Model): string {
  const forPeople = model.workflows.filter((workflow) => workflow.forPeople);
  const others = model.workflows.filter((workflow) => !workflow.forPeople);
  const [region] = forPeople;
  const id = region === undefined ? '' : sampleId(region);
  const common = commonRefusals(model.messages);
  return [
    '<!-- Generated from the workflow sources by `psmg catalog`; edit those and run it again. -->',
    '# Catalogue of workflows and messages',
    introduction(model, forPeople),
    '## Workflows',
    ...forPeople.map((workflow) => workflowSection(workflow, model)),
    `## Messages to \`${region?.workflowId ?? ''}\``,
    messageRules(model),
    overview(model.messages),
    bullets('Every message is refused when:', [...common]),
    ...model.messages.map((message) => messageSection(message, id, common)),
    '## Phases and reasons',
    vocabularySection(model),
    `## ${SETTINGS_TITLE}`,
    settingsSection(model.settings),
    '## Not for people',
    'The two workflows of a region use these between themselves. Do not send them: the adjustment takes its orders as they come. Cancelling it by hand is safe: the settings stay, and `resume` starts it again.',
    ...others.map((workflow) => workflowSection(workflow, model)),
    internalSection(model.internal),
    '## The same with tctl',
    tctlSection(model, id),
  ].join('\n\n');
}

function introduction(model: Model, workflows: readonly CatalogueWorkflow[]): string {
  const [workflow] = workflows;
  return (
    `People talk to \`${workflow?.workflowId ?? ''}\`, on task queue \`${model.taskQueue}\`, and to nothing else. ` +
    `The lines below are for region \`${SAMPLE_REGION}\` of [${SAMPLE_FILE}](../${SAMPLE_FILE}) and run as they are from the ` +
    "project's folder; schemas are JSON Schema, draft 2020-12, each message's with the samples of its lines. `npx psmg catalog --check` tells whether this page is what the sources say."
  );
}

function sampleId(workflow: CatalogueWorkflow): string {
  return workflow.workflowId.replace('<name>', SAMPLE_REGION);
}

function workflowSection(workflow: CatalogueWorkflow, model: Model): string {
  const id = sampleId(workflow);
  const failures = model.failures.start.map((type) => `\`${type}\``).join(', ');
  return [
    `### Workflow \`${workflow.type}\`, \`${workflow.workflowId}\``,
    workflow.docs,
    [
      `- input: ${schemaLink(workflow.inputSchema)}`,
      `- result: ${workflow.resultSchema === null ? 'none' : schemaLink(workflow.resultSchema)}`,
      ...(workflow.forPeople ? [`- fails with: ${failures}, not retried, every problem of the file named`] : []),
    ].join('\n'),
    ...(workflow.forPeople ? [shell([startLine(workflow, model, id)])] : []),
    ...workflow.queryResults.map(({ query, result }) =>
      [
        `#### Query \`${query.name}\` of \`${workflow.workflowId}\``,
        [docsOfSchema(result.schema), query.docs].filter((text) => text !== '').join('\n\n'),
        `- argument: none\n- result: ${schemaLink(result)}`,
        shell([`temporal workflow query --workflow-id ${id} --type ${query.name}`]),
      ].join('\n\n'),
    ),
  ].join('\n\n');
}

function startLine(workflow: CatalogueWorkflow, model: Model, id: string): string {
  return `temporal workflow start --type ${workflow.type} --task-queue ${model.taskQueue} --workflow-id ${id} --input-file ${SAMPLE_FILE} --input-meta encoding=binary/plain`;
}

function messageRules(model: Model): string {
  const types = model.failures.update.map((type) => `\`${type}\``).join(', ');
  return [
    ...sharedDocs(model.messages).map((text) => `- ${text}`),
    '- A **signal** is recorded even when no worker runs. What is refused is in query `status` under `refused`, with its reason.',
    `- An **update** comes back with the outcome. What is refused fails it with type ${types}.`,
    '- A name that is no message of these is refused in the same way.',
    '- What was taken but could not be done has `accepted: false` and the reason in `detail`, often in the words of the part that failed.',
  ].join('\n');
}

function overview(messages: readonly CatalogueMessage[]): string {
  const rows = messages.map(
    ({ name, kinds, docs }) => `| [\`${name}\`](#message-${name}) | ${kinds.join(', ')} | ${cell(sentence(docs))} |`,
  );
  return ['| message | as | does |', '| --- | --- | --- |', ...rows].join('\n');
}

/** What every message is refused for is told once. */
function commonRefusals(messages: readonly CatalogueMessage[]): ReadonlySet<string> {
  const [first, ...rest] = messages.map((message) => message.refused.map((line) => general(message, line)));
  return new Set((first ?? []).filter((line) => rest.every((lines) => lines.includes(line))));
}

function general(message: CatalogueMessage, line: string): string {
  return line.startsWith(`${message.name} `) ? line.replace(message.name, '<message>') : line;
}

/** The docstring of a type that several messages have in common. */
function sharedDocs(messages: readonly CatalogueMessage[]): string[] {
  const docs = messages.map((message) => docsOfSchema(message.argumentSchema.schema));
  return [...new Set(docs.filter((text, index) => text !== '' && docs.indexOf(text) !== index))];
}

function messageSection(message: CatalogueMessage, id: string, common: ReadonlySet<string>): string {
  const { argumentSchema, resultSchema, samples } = message;
  const lines = samples.map(({ kind, sample }) => messageLine(id, message.name, kind, sample));
  return [
    `### Message \`${message.name}\``,
    sentence(message.docs),
    shell(lines),
    `Argument: ${schemaLink(argumentSchema)}`,
    argumentTable(argumentSchema.schema),
    argumentSchema.schema.allOf === undefined
      ? ''
      : `What \`value\` may be goes by the address: see [Settings](#${SETTINGS_ANCHOR}).`,
    `Result of the update: ${schemaLink(resultSchema)}`,
    bullets(
      'Refused also when:',
      message.refused.filter((line) => !common.has(general(message, line))),
    ),
    bullets('Taken but not done when:', message.notDone),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function messageLine(id: string, name: string, kind: 'signal' | 'update', sample: object): string {
  const verb = kind === 'signal' ? 'signal' : 'update execute';
  return `temporal workflow ${verb} --workflow-id ${id} --name ${name} --input '${JSON.stringify(sample)}'`;
}

function argumentTable(schema: JsonSchema): string {
  const rows = Object.entries(schema.properties ?? {}).map(([field, property]) => {
    const needed = schema.required?.includes(field) === true ? 'yes' : 'no';
    return `| \`${field}\` | ${needed} | ${cell(shape(property, schema.$defs ?? {}))} | ${cell(property.description ?? '')} |`;
  });
  return ['| field | required | is | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function shape(schema: JsonSchema, defs: Readonly<Record<string, JsonSchema>>): string {
  const name = schema.$ref?.split('/').at(-1) ?? '';
  if (defs[name] !== undefined) return shape(defs[name], {});
  const types = schema.type === undefined ? '' : [schema.type].flat().join(' or ');
  const most = schema.maxLength === undefined ? '' : `, not empty, at most ${schema.maxLength} characters`;
  return types + most;
}

function bullets(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [title, '', ...lines.map((line) => `- ${code(line)}`)].join('\n');
}

function vocabularySection(model: Model): string {
  const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');
  const rows = model.blocked.map(
    ({ reason, givenBy, steps }) => `| \`${reason}\` | ${givenBy.join(', ')} | ${list(steps)} |`,
  );
  return [
    `Phases (search attribute \`PsmgPhase\`): ${list(model.phases)}.`,
    `Steps, in order; none that is done runs again: ${list(model.steps)}.`,
    'A region in phase `blocked` has one of these reasons (search attribute `PsmgBlockedReason`), which is also the type that activities fail with. The second column names the sources that give it, the third the steps that fall back to it when the failing part gives none of these.',
    ['| reason | given by | steps that fall back to it |', '| --- | --- | --- |', ...rows].join('\n'),
  ].join('\n\n');
}

function settingsSection(settings: readonly Setting[]): string {
  const rows = settings.map(
    (setting) =>
      `| \`<service>.${setting.field}\` | ${setting.unit} | ${cell(range(setting))} | ${cell(setting.docs)} |`,
  );
  return ['| address | unit | value | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function range(setting: Setting): string {
  const schema = valueSchema(setting);
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' or ');
  const { minimum = '−∞', maximum = '∞' } = schema;
  return `${minimum} to ${maximum}${schema.type === 'integer' ? ', whole' : ''}`;
}

function internalSection(internal: readonly CatalogueInternal[]): string {
  const rows = internal.map(({ definition, from, to, argumentSchema }) => {
    const docs = docsOfSchema(argumentSchema.schema) || definition.docs;
    return `| \`${definition.name}\` | ${from.join(', ')} → ${to} | ${schemaLink(argumentSchema)} | ${cell(docs)} |`;
  });
  return ['| signal | way | argument | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function tctlSection(model: Model, id: string): string {
  const [message] = model.messages;
  const signal = message?.samples.find(({ kind }) => kind === 'signal');
  const rows = [
    [
      '`temporal workflow signal --workflow-id ID --name NAME --input JSON`',
      '`tctl workflow signal --workflow_id ID --name NAME --input JSON`',
    ],
    [
      '`temporal workflow query --workflow-id ID --type NAME`',
      '`tctl workflow query --workflow_id ID --query_type NAME`',
    ],
    [
      '`temporal workflow start … --input-file FILE --input-meta encoding=binary/plain`',
      '`tctl workflow start --taskqueue QUEUE --workflow_type TYPE --workflow_id ID --input JSON`, the text as one JSON string',
    ],
    ['`temporal workflow update execute …`', 'none: send the signal and look at `status`'],
  ].map(([a, b]) => `| ${a} | ${b} |`);
  return [
    'tctl, the predecessor of the `temporal` command, sends the same signals and queries. These lines have **not been run**.',
    ['| temporal | tctl |', '| --- | --- |', ...rows].join('\n'),
    signal === undefined || message === undefined
      ? ''
      : fenced('text', [
          `tctl workflow signal --workflow_id ${id} --name ${message.name} --input '${JSON.stringify(signal.sample)}'`,
        ]),
  ].join('\n\n');
}

function schemaLink({ path, schema }: SchemaFile): string {
  return `[\`${schema.title ?? path}\`](${path.replace(/^docs\//, '')})`;
}

function docsOfSchema(schema: JsonSchema): string {
  return schema.description ?? '';
}

function shell(lines: readonly string[]): string {
  return fenced('sh', lines);
}

function fenced(language: string, lines: readonly string[]): string {
  return ['```' + language, ...lines, '```'].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}

/** As code, whatever quotes it holds: `<name>` would be taken for HTML otherwise. */
function code(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

function sentence(text: string): string {
  return text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
