#!/usr/bin/env node
/**
 * `node scripts/bootstrap.mjs COMMAND [ARGUMENT…]`: what every npm script of this project calls.
 * Plain JavaScript that needs Node alone, so that a fresh clone works: it checks Node's version, brings the npm
 * packages and the real parts, then runs the command with its arguments, and ends with the command's exit code.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePackages } from './packages.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const say = (line) => process.stderr.write(`${line}\n`);

function checkNode() {
  const wanted = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).engines.node.replace('>=', '');
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [wantedMajor, wantedMinor] = wanted.split('.').map(Number);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  throw new Error(`Node ${process.versions.node} is too old: install Node ${wanted} or newer.`);
}

/** A step that runs TypeScript: tsx without a build step. */
const typescript = (file, ...args) => ['--import', 'tsx', path.join(root, file), ...args];
const tool = (file, ...args) => [path.join(root, 'node_modules', file), ...args];

function jest(projects, args) {
  const chosen = args.some((arg) => /^(-w|-i|--runInBand|--maxWorkers)(=|$)/.test(arg));
  // Tests wait for real processes more than they compute; more than a few of those at once only slow each other.
  const workers = Math.min(4, Math.max(2, Math.floor(availableParallelism() / 2)));
  return [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    ...tool('jest/bin/jest.js', ...projects.map((one) => `--selectProjects=${one}`)),
    ...(chosen ? [] : [`--maxWorkers=${workers}`]),
    ...args,
  ];
}

/** For each command: the set-up it needs and what it then runs, one Node process after the other. */
const commands = {
  setup: { run: (args) => [typescript('scripts/setup.ts', ...args)] },
  start: { parts: 'start', ownGroup: true, run: (args) => [typescript('testbed/start.ts', ...args)] },
  test: { parts: 'all', run: (args) => [jest(['unit'], args)] },
  'test:parts': { parts: 'parts', run: (args) => [jest(['parts', 'envoy-before'], ['--passWithNoTests', ...args])] },
  lint: {
    run: () => [
      tool('eslint/bin/eslint.js', '.'),
      tool('prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'),
      tool('typescript/bin/tsc', '-p', '.', '--noEmit'),
    ],
    // One run names everything that is wrong.
    keepGoing: true,
  },
  capture: { parts: 'all', run: (args) => [typescript('testbed/capture/main.ts', ...args)] },
  'campaign:fuzz-forecast': { run: (args) => [typescript('bench/campaigns/fuzzForecast.ts', ...args)] },
  'campaign:fuzz-plan': { run: (args) => [typescript('bench/campaigns/fuzzPlan.ts', ...args)] },
  'campaign:fuzz-graph': { run: (args) => [typescript('bench/graph/fuzz.ts', ...args)] },
  'campaign:kills': { parts: 'start', run: (args) => [typescript('bench/kills/campaign.ts', ...args)] },
  'campaign:metrics': { parts: 'parts', run: (args) => [typescript('bench/metrics/campaign.ts', ...args)] },
  'campaign:safety': { run: (args) => [typescript('bench/tuning/safetyMain.ts', ...args)] },
  'bench:forecast': { run: (args) => [typescript('bench/forecast/main.ts', ...args)] },
  'bench:campaigns': { run: (args) => [typescript('bench/forecast/campaigns.ts', ...args)] },
  'bench:region': { run: (args) => [typescript('bench/forecast/region.ts', ...args)] },
  'bench:plan': { run: (args) => [typescript('bench/plan/scale.ts', ...args)] },
  'bench:routing': { run: (args) => [typescript('bench/routing/compare.ts', ...args)] },
  'bench:routing-scale': { run: (args) => [typescript('bench/routing/scale.ts', ...args)] },
  'bench:capacity': { run: (args) => [typescript('bench/capacity/cases.ts', ...args)] },
  'bench:descriptors': { run: (args) => [typescript('bench/descriptors/agree.ts', ...args)] },
  'bench:retries': { run: (args) => [typescript('bench/retries/main.ts', ...args)] },
  'bench:twin': { parts: 'start', run: (args) => [typescript('bench/twin/main.ts', ...args)] },
  'bench:metrics': { run: (args) => [typescript('bench/metrics/embedded.ts', ...args)] },
  'bench:tuning': { run: (args) => [typescript('bench/tuning/main.ts', ...args)] },
  'bench:scrape': { parts: 'start', run: (args) => [typescript('bench/scrape/scrape.ts', ...args)] },
  // A diagnosis changes nothing, except that it cannot run at all without the packages.
  doctor: { diagnoses: true, run: (args) => [typescript('scripts/doctor.ts', ...args)] },
};

/**
 * Runs Node to its end and returns its exit code. With `ownGroup` a Ctrl-C at the terminal reaches the child once,
 * through us: npm sends a second one to its scripts, and a program that takes the second for "at once" would not
 * clean up.
 */
function runNode(args, ownGroup) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', detached: ownGroup });
    let lastAtMs = 0;
    const forward = (signal) => {
      const atTerminal = signal === 'SIGINT' && process.stdin.isTTY === true;
      if (!ownGroup && atTerminal) return;
      if (Date.now() - lastAtMs < 1_000) return;
      lastAtMs = Date.now();
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    // npm passes signals to the shell that it runs us by, and the shell dies of them without passing them on.
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.env['npm_lifecycle_event'] !== undefined && process.ppid !== parent) forward('SIGTERM');
    }, 500);
    const end = () => {
      clearInterval(watch);
      for (const signal of signals) process.off(signal, forward);
    };
    child.once('error', (error) => {
      end();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      end();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

async function main([name, ...args]) {
  const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined;
  if (command === undefined) {
    say(`usage: node scripts/bootstrap.mjs ${Object.keys(commands).join('|')} [ARGUMENT…]`);
    return 2;
  }
  checkNode();
  const canRun = existsSync(path.join(root, 'node_modules', 'tsx', 'package.json'));
  if (command.diagnoses !== true || !canRun) await ensurePackages(root, say);
  if (command.parts !== undefined) {
    const code = await runNode(typescript('scripts/setup.ts', '--for', command.parts), false);
    if (code !== 0) return code;
  }
  let worst = 0;
  for (const step of command.run(args)) {
    const code = await runNode(step, command.ownGroup === true);
    worst = Math.max(worst, code);
    if (code !== 0 && command.keepGoing !== true) break;
  }
  return worst;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(`psmg: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
