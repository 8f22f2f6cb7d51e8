import type { MessageName } from '../workflows/regionLifecycle/messages.js';
import { REGION_WORKFLOW_TYPE, regionWorkflowId } from '../workflows/shared/names.js';
import type { ConnectionChoice } from './connection.js';
import { connectionFlags } from './connection.js';
import { quoted, shellWord } from './shellWord.js';

export type Form = 'update' | 'signal';

/** The line of the `temporal` command that sends the same message. */
export function messageLine(
  region: string,
  name: MessageName,
  message: object,
  form: Form,
  choice: ConnectionChoice = {},
): string {
  const verb = form === 'update' ? 'update execute' : 'signal';
  const id = shellWord(regionWorkflowId(region));
  return `temporal workflow ${verb}${connectionFlags(choice)} --workflow-id ${id} --name ${name} --input ${quoted(JSON.stringify(message))}`;
}

/** The line that launches the same region. */
export function startLine(region: string, file: string, taskQueue: string, choice: ConnectionChoice = {}): string {
  const id = shellWord(regionWorkflowId(region));
  return `temporal workflow start${connectionFlags(choice)} --type ${REGION_WORKFLOW_TYPE} --task-queue ${shellWord(taskQueue)} --workflow-id ${id} --input-file ${shellWord(file)} --input-meta encoding=binary/plain`;
}
