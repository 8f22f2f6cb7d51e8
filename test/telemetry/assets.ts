import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const PROMETHEUS_FOLDER = path.join(root, 'deploy', 'prometheus');
const DASHBOARDS = path.join(root, 'deploy', 'grafana', 'dashboards');

export interface Rule {
  alert: string;
  expr: string;
  annotations: { summary: string; description: string; runbook_url: string };
}

export interface DashboardQuery {
  where: string;
  language: 'promql' | 'flux';
  text: string;
}

interface Target {
  expr?: string;
  query?: string;
}
interface Dashboard {
  title: string;
  panels: { title: string; targets?: Target[] }[];
}

export function readRules(): readonly Rule[] {
  const text = readFileSync(path.join(PROMETHEUS_FOLDER, 'rules.yml'), 'utf8');
  return (parse(text) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
}

export function readQueries(): readonly DashboardQuery[] {
  return readdirSync(DASHBOARDS).flatMap((file) => {
    const { title, panels } = JSON.parse(readFileSync(path.join(DASHBOARDS, file), 'utf8')) as Dashboard;
    return panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ expr, query }): DashboardQuery => ({
        where: `${title}: ${panel.title}`,
        language: expr === undefined ? 'flux' : 'promql',
        text: expr ?? query ?? '',
      })),
    );
  });
}

/** As Grafana fills variables in when all is chosen. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce((done, [from, to]) => done.replaceAll(from, to), text);
}

export function readText(...names: string[]): string {
  return readFileSync(path.join(root, ...names), 'utf8');
}
