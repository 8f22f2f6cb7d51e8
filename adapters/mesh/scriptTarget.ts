import type { SwapOutcome, SwapResult, TargetState } from '../../core/spec/deployment.js';
import type { HostSpec } from '../../core/spec/region.js';
import { releaseManifest } from '../../delivery/target/release.js';
import type { SwapRequest } from './port.js';

/** The target could not be reached, or its script failed. A refused swap is no error. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  readonly host: string;

  constructor(host: string, message: string) {
    super(`${host}: ${message}`);
    this.host = host;
  }
}

export interface Executed {
  /** `null`: the connection or the process ended before the command did. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program on the host. Arguments are passed as they are: no shell reads them. */
export type Execute = (argv: readonly string[], stdin: string, signal?: AbortSignal) => Promise<Executed>;

type Answer = Readonly<Record<string, unknown>>;

/** Speaks with psmg_target.py, wherever it runs. */
export class ScriptTarget {
  readonly #host: HostSpec;
  readonly #execute: Execute;

  constructor(host: HostSpec, execute: Execute) {
    this.#host = host;
    this.#execute = execute;
  }

  async state(signal?: AbortSignal): Promise<TargetState> {
    const host = this.#host.name;
    const executed = await this.#run('state', {}, signal);
    if (isScriptMissing(executed)) return { host, epoch: 0, hash: null, drifted: [], held: null };
    return { ...(this.#answerOf(executed) as Omit<TargetState, 'host'>), host };
  }

  async swap({ files, ...request }: SwapRequest, signal?: AbortSignal): Promise<SwapResult> {
    const { releaseHash } = request;
    if (files !== undefined) {
      await this.ask('stage', { releaseHash, files, hashes: releaseManifest(releaseHash, files).files }, signal);
    }
    // A release that comes back was accepted before: no validation may stand in the way of a rollback.
    const envoy = files === undefined ? null : this.#host.proxy.binary;
    const answer = await this.ask('swap', { ...request, envoy }, signal);
    return {
      host: this.#host.name,
      outcome: answer['outcome'] as SwapOutcome,
      hashBefore: answer['hashBefore'] as string | null,
      hashAfter: answer['hashAfter'] as string | null,
      message: String(answer['message']),
    };
  }

  async ask(command: string, request: object, signal?: AbortSignal): Promise<Answer> {
    return this.#answerOf(await this.#run(command, request, signal));
  }

  #run(command: string, request: object, signal?: AbortSignal): Promise<Executed> {
    const { directory, python } = this.#host;
    const argv = [python, `${directory}/bin/psmg_target.py`, command, '--directory', directory, '--stdin'];
    return this.#execute(argv, JSON.stringify(request), signal);
  }

  #answerOf({ code, stdout, stderr }: Executed): Answer {
    if (code === null) throw new TargetError(this.#host.name, 'the connection ended before the command did');
    const answer = parsed(stdout);
    if (code === 0 && answer !== undefined) return answer;
    const words = String(answer?.['message'] ?? '') || stderr.trim() || stdout.trim();
    throw new TargetError(this.#host.name, `psmg_target.py ended with code ${code}: ${words}`);
  }
}

function parsed(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return undefined;
  }
}

/** Nothing of ours has ever been laid out there. */
function isScriptMissing({ code, stderr }: Executed): boolean {
  return code === 2 && /can't open file .*psmg_target\.py/.test(stderr);
}
