import { Command } from 'commander';

type Register = (program: Command) => void;

/**
 * By the name of the command. Each is loaded when it is asked for: all of them take two seconds, which somebody who
 * types `psmg region freeze` has not got.
 */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  forecast: async () => (await import('./forecast.js')).registerForecast,
  graph: async () => (await import('./graph.js')).registerGraph,
  plan: async () => (await import('./plan.js')).registerPlan,
  validate: async () => (await import('./validate.js')).registerValidate,
  simulate: async () => (await import('./simulate.js')).registerSimulate,
  region: async () => (await import('./region.js')).registerRegion,
  fleet: async () => (await import('./fleet.js')).registerFleet,
  worker: async () => (await import('./worker.js')).registerWorker,
  replay: async () => (await import('./replay.js')).registerReplay,
  catalog: async () => (await import('./catalog.js')).registerCatalog,
  audit: async () => (await import('./audit.js')).registerAudit,
  metrics: async () => (await import('./metrics.js')).registerMetrics,
  // Asked by the shell at every TAB; `completion` itself is not here, since it writes of all commands.
  __complete: async () => (await import('./completion.js')).registerCompletion,
};

/** The whole command line, not yet run; where `asked` names one of the commands, that one alone. */
export async function createProgram(asked?: string): Promise<Command> {
  const program = new Command('psmg')
    .description('gives a region its service mesh before the region needs it')
    .showHelpAfterError()
    .exitOverride();
  const one = asked !== undefined && Object.hasOwn(COMMANDS, asked) ? COMMANDS[asked] : undefined;
  for (const load of one === undefined ? Object.values(COMMANDS) : [one]) (await load())(program);
  return program;
}
