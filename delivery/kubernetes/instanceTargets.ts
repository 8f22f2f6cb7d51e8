import { Document, YAMLMap, visit } from 'yaml';
import { windowAt } from '../../core/plan/windowAt.js';
import type { MeshPlan, ServicePlan } from '../../core/spec/plan.js';
import { oneLine } from '../../core/spec/oneLine.js';

export const INSTANCE_TARGETS_FILE = 'instance-targets.yaml';
/** By which the API server knows whose field `minReplicas` is; pass it as `--field-manager`. */
export const FIELD_MANAGER = 'psmg-instance-targets';

const HEAD = `How few instances the autoscalers of a region may keep, by its plan. Nothing else of an autoscaler is named, so that
 nothing else is owned:
   kubectl apply --server-side --field-manager=${FIELD_MANAGER} --namespace=NAMESPACE --filename=${INSTANCE_TARGETS_FILE}
 An autoscaler is found by the name of its service, and one that does not exist is refused, never made. It scales out by
 its own metrics as before; nothing here scales anything in. A minimum that another manager owns is a conflict, and
 stays: an autoscaler that was made by client-side apply or create owns even its default. Hand it over once, knowingly,
 with --force-conflicts.`;

/**
 * HorizontalPodAutoscalers with `minReplicas` alone, for server-side apply: the targets of the window that holds `at`
 * (ISO 8601, demand time; absent: the first). Later windows are told in comments. Services that want no instance here
 * are left to their autoscalers, since one of them refuses a minimum of 0. Source: Kubernetes' `autoscaling/v2`.
 */
export function renderInstanceTargets(plan: MeshPlan, at?: string): string {
  const wanted = windowAt(plan, at).services.filter((one) => one.instances.value > 0);
  const documents = wanted.map((one) => text(one, later(plan, one.service, at)));
  return `# ${HEAD.replaceAll('\n', '\n#')}\n${documents.map((one) => `---\n${one}`).join('')}`;
}

function text({ service, instances }: ServicePlan, changes: string): string {
  const document = new Document(
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: service },
      spec: { minReplicas: instances.value },
    },
    // Kubernetes reads YAML 1.1, where `no` and `on` are no names.
    { compat: 'yaml-1.1' },
  );
  visit(document, {
    Pair: (_, pair) => {
      if (pair.value instanceof YAMLMap && String(pair.key) === 'spec') {
        pair.value.commentBefore = ` ${oneLine(instances.reason)}${changes}`;
        return visit.BREAK;
      }
      return undefined;
    },
  });
  return document.toString({ lineWidth: 0 });
}

function later(plan: MeshPlan, service: string, at: string | undefined): string {
  const now = windowAt(plan, at);
  const before = now.services.find((one) => one.service === service)?.instances.value;
  const changes = plan.windows
    .filter((window) => Date.parse(window.from) > Date.parse(now.from))
    .flatMap(({ from, services }) =>
      services.filter((one) => one.service === service).map((one) => ({ from, count: one.instances.value })),
    )
    .filter(({ count }, i, all) => count !== (all[i - 1]?.count ?? before))
    .map(({ count, from }) => `${count} from ${from}`);
  return changes.length === 0 ? '' : `\n later: ${changes.join(', ')}`;
}
