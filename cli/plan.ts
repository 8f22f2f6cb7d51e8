import type { Command } from 'commander';

import { diffPlans } from '../core/plan/explain/diffPlans.js';
import { explainPlan } from '../core/plan/explain/explainPlan.js';
import { planMesh } from '../core/plan/plan.js';
import { windowAt } from '../core/plan/windowAt.js';
import { ACTIVATED, lintWindows } from '../core/plan/lintWindows.js';
import { liveMesh } from '../core/plan/live.js';
import type { FileSet } from '../core/spec/artifact.js';
import type { DemandForecast } from '../core/spec/forecast.js';
import type { ServiceGraph } from '../core/spec/graph.js';
import { canonicalJson, planHash, releaseHash } from '../core/spec/hash.js';
import { parseInstant } from '../core/spec/instant.js';
import { parseDemand } from '../core/spec/parseDemand.js';
import { parseRegion } from '../core/spec/parseRegion.js';
import type { MeshPlan } from '../core/spec/plan.js';
import type { Problem, Result } from '../core/spec/problem.js';
import { ok, refused } from '../core/spec/problem.js';
import type { RegionSpec } from '../core/spec/region.js';
import { INSTANCE_TARGETS_FILE, renderInstanceTargets } from '../delivery/kubernetes/instanceTargets.js';
import { DELIVERIES } from '../delivery/registry.js';
import { renderIstio } from '../mesh/istio/render.js';
import { MESHES } from '../mesh/registry.js';
import { EXIT, printJson, refuse } from './output.js';
import { differencesText, explanationText, planTable } from './planText.js';
import { peaksOf, readDeployments, readGraph } from './planInputs.js';
import { readPlan } from './readPlan.js';
import { readText } from './readText.js';
import { OutFolderError, PLAN_FILE, writeOutFolder } from './outFolder.js';

interface PlanOptions {
  out: string;
  at?: string;
  demand?: string;
  service?: string;
  explain?: boolean;
  against?: string;
  format: string;
}

export function registerPlan(program: Command): void {
  program
    .command('plan')
    .description('plan the mesh of a region and render every form of it; nothing is applied')
    .argument('<region.yaml>', 'region file')
    .requiredOption('--out <dir>', 'folder to write: new, empty, or one that an earlier plan wrote')
    .option('--at <time>', 'forecast as of this moment (ISO 8601 with zone); absent: after the whole history')
    .option('--demand <file>', 'plan on this forecast (JSON as `psmg forecast` prints it) in place of one made now')
    .option('--service <name>', 'print this service only')
    .option('--explain', 'print every value with its reason')
    .option('--against <plan.json>', 'print what differs from this plan, in words')
    .option('--format <format>', 'text or json', 'text')
    .action(async (file: string, options: PlanOptions) => {
      const json = options.format === 'json';
      const planned = await planFile(file, options);
      if (!planned.ok) return refuse(planned.problems, json ? 'json' : 'text');
      const { plan, graph, files } = planned.value;
      const before = options.against === undefined ? undefined : await readPlan(options.against);
      if (before?.ok === false) return refuse(before.problems, json ? 'json' : 'text');
      try {
        await writeOutFolder(options.out, files);
      } catch (error) {
        if (!(error instanceof OutFolderError)) throw error;
        return refuse([{ code: 'out-folder', field: '--out', message: error.message }], json ? 'json' : 'text');
      }
      for (const warning of [...graph.warnings, ...plan.warnings]) process.stderr.write(`warning: ${warning}\n`);
      const hash = planHash(plan);
      if (json)
        printJson({
          planHash: hash,
          out: options.out,
          files: Object.keys(files).sort(),
          plan: only(plan, options.service),
          ...(before === undefined ? {} : { differences: diffPlans(before.value, plan) }),
        });
      else {
        const of = options.service === undefined ? {} : { service: options.service };
        if (before !== undefined) process.stdout.write(differencesText(diffPlans(before.value, plan)));
        else if (options.explain === true) process.stdout.write(explanationText(explainPlan(plan, of)));
        else process.stdout.write(planTable(only(plan, options.service)));
        process.stdout.write(`plan ${hash} written to ${options.out}\n`);
      }
      process.exitCode = EXIT.ok;
    });
}

interface Planned {
  plan: MeshPlan;
  graph: ServiceGraph;
  files: FileSet;
}

async function planFile(file: string, options: PlanOptions): Promise<Result<Planned>> {
  const text = await readText(file);
  if (!text.ok) return text;
  const region = parseRegion(text.value, file);
  const optionsWrong = optionProblems(options, region.ok ? region.value : undefined);
  if (!region.ok) return refused([...region.problems, ...optionsWrong]);
  if (optionsWrong.length > 0) return refused(optionsWrong);
  const graph = await readGraph(region.value);
  const forecast =
    options.demand === undefined ? await makeForecast(region.value, options.at) : await readDemand(options.demand);
  const deployments = await readDeployments(region.value);
  const peaks = await peaksOf(region.value);
  if (!graph.ok || !forecast.ok || !deployments.ok || !peaks.ok) {
    return refused([graph, forecast, deployments, peaks].flatMap((one) => (one.ok ? [] : one.problems)));
  }
  const plan = planMesh({
    ...{ region: region.value, forecast: forecast.value, graph: graph.value, deployments: deployments.value },
    peaks: peaks.value,
  });
  if (!plan.ok) return refused(plan.problems.map((problem) => ({ file, ...problem })));
  const files = renderPlan(region.value, text.value, plan.value);
  return files.ok ? ok({ plan: plan.value, graph: graph.value, files: files.value }) : files;
}

/** The plan as it runs when activation has ended; `region.yaml` goes along, so that the folder can be checked alone. */
function renderPlan(region: RegionSpec, regionText: string, plan: MeshPlan): Result<FileSet> {
  const problems = lintWindows(region, plan);
  if (problems.length > 0) return refused(problems);
  const live = liveMesh(region, plan, planHash(plan), ACTIVATED);
  const calls = Object.fromEntries(windowAt(plan).services.map((service) => [service.service, service.calls ?? {}]));
  const mesh = MESHES[region.mesh.kind];
  const perHost: Record<string, FileSet> = {};
  for (const host of region.delivery.hosts) {
    const files = mesh.render(live, region, host);
    perHost[host.name] = { ...files, 'validate.yaml': mesh.flatten(files) };
  }
  return ok({
    [PLAN_FILE]: `${JSON.stringify(JSON.parse(canonicalJson(plan)), null, 2)}\n`,
    'region.yaml': regionText,
    ...below(
      region.mesh.kind,
      Object.assign({}, ...Object.entries(perHost).map(([host, files]) => below(host, files))),
    ),
    ...below('istio', renderIstio(live, region, { calls })),
    ...below('kubernetes', { [INSTANCE_TARGETS_FILE]: renderInstanceTargets(plan) }),
    ...below(region.delivery.tool, renderDelivery(region, perHost)),
  });
}

function renderDelivery(region: RegionSpec, perHost: Readonly<Record<string, FileSet>>): FileSet {
  return DELIVERIES[region.delivery.tool]({
    region,
    deployment: {
      region: region.name,
      deploymentId: 'preview',
      epoch: 1,
      expectedHash: null,
      releaseHash: releaseHash(perHost),
    },
    releases: perHost,
  });
}

function below(folder: string, files: FileSet): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
}

function optionProblems(options: PlanOptions, region: RegionSpec | undefined): Problem[] {
  const problems: Problem[] = [];
  if (options.at !== undefined && parseInstant(options.at) === null) {
    const message = `is ${JSON.stringify(options.at)}`;
    problems.push({
      code: 'option',
      field: '--at',
      message,
      expected: 'ISO 8601 with a zone, e.g. 2026-03-01T08:00:00Z',
    });
  }
  if (!['text', 'json'].includes(options.format)) {
    problems.push({ code: 'option', field: '--format', message: `is ${options.format}`, expected: 'text or json' });
  }
  const services = region?.services.map((service) => service.name) ?? [];
  if (options.service !== undefined && region !== undefined && !services.includes(options.service)) {
    const message = `no service ${JSON.stringify(options.service)} in the region file`;
    problems.push({ code: 'option', field: '--service', message, expected: services.join(', ') });
  }
  return problems;
}

/** What forecasts is loaded by those who want a forecast. */
async function makeForecast(region: RegionSpec, at?: string): Promise<Result<DemandForecast>> {
  const { forecastFromFile } = await import('./planForecast.js');
  return forecastFromFile(region, at);
}

async function readDemand(file: string): Promise<Result<DemandForecast>> {
  const text = await readText(file);
  return text.ok ? parseDemand(text.value, file) : text;
}

function only(plan: MeshPlan, service: string | undefined): MeshPlan {
  if (service === undefined) return plan;
  const windows = plan.windows.map((w) => ({ ...w, services: w.services.filter((s) => s.service === service) }));
  return { ...plan, windows };
}
