import {
  NamespaceNotFoundError,
  QueryNotRegisteredError,
  QueryRejectedError,
  WorkflowNotFoundError,
  isGrpcServiceError,
} from '@temporalio/client';
import { EXIT } from './output.js';
import { Told } from './told.js';

/** Codes of gRPC, as its specification numbers them. */
const GRPC = {
  cancelled: 1,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** What was asked of which server. */
export interface Asked {
  address: string;
  namespace: string;
  /** Absent: the question was about no one region. */
  region?: string;
}

/** One sentence of what is the matter and what to do about it. */
export function toldError(error: unknown, asked: Asked): Told {
  if (error instanceof Told) return error;
  const { address, namespace, region = '' } = asked;
  if (isMissingNamespace(error)) {
    const list = `temporal operator namespace list --address ${address}`;
    return new Told(
      `there is no namespace "${namespace}" at ${address}: name another with --namespace ("${list}" lists them)`,
      EXIT.badInput,
      error,
    );
  }
  if (error instanceof WorkflowNotFoundError) {
    return new Told(
      `no region "${region}" runs in namespace ${namespace} at ${address}: "psmg region list --all" names those there are`,
      EXIT.notSo,
      error,
    );
  }
  if (error instanceof QueryNotRegisteredError) {
    return new Told(
      `region ${region} does not know this question yet: it is still starting, or its worker is of an older build`,
      EXIT.notSo,
      error,
    );
  }
  if (error instanceof QueryRejectedError) {
    return new Told(`region ${region} does not answer: the server refused the question`, EXIT.notSo, error);
  }
  return byCode(error, asked);
}

function byCode(error: unknown, { address, namespace, region = '' }: Asked): Told {
  const { code, details } = grpcOf(error);
  switch (code) {
    case GRPC.permissionDenied:
    case GRPC.unauthenticated:
      return new Told(
        `${address} does not let this key or certificate into namespace ${namespace} (${details}): see --profile, TEMPORAL_API_KEY and TEMPORAL_TLS_*`,
        EXIT.badInput,
        error,
      );
    case GRPC.failedPrecondition:
      if (/poller|worker/i.test(details)) return noWorker(region, details);
      if (/paused/i.test(details)) {
        return new Told(
          `region ${region} is paused in Temporal (${details}): send it with --signal, which is taken once it goes on`,
        );
      }
      return new Told(`region ${region}: ${details}`, EXIT.notSo, error);
    case GRPC.unavailable:
      return unreachable(address, details, error);
    case GRPC.deadlineExceeded:
    case GRPC.cancelled:
      return isConnecting(error)
        ? unreachable(address, details, error)
        : new Told(
            `no answer from region ${region} in time: is a worker running? "psmg region watch ${region}" tells what is known without one`,
            EXIT.notSo,
            error,
          );
    case GRPC.resourceExhausted:
      return new Told(`${address} has too much to do (${details}): the same again a little later`, EXIT.notSo, error);
    default:
      return isConnecting(error)
        ? unreachable(address, messageOf(error), error)
        : new Told(details === '' ? messageOf(error) : details, EXIT.notSo, error);
  }
}

export function noWorker(region: string, detail: string): Told {
  return new Told(
    `no worker takes the work of region ${region} (${detail}): start one with "psmg worker"; a message can be sent with --signal and waits for it; "psmg region watch ${region}" tells what is known without one`,
  );
}

function unreachable(address: string, detail: string, cause: unknown): Told {
  const why = detail.split('\n', 1)[0] ?? '';
  return new Told(
    `no Temporal server answers at ${address} (${why}): start it, or name another with --address or --profile`,
    EXIT.notSo,
    cause,
  );
}

/** Of gRPC itself, or wrapped by the client; code -1 where it is neither. */
export function grpcOf(error: unknown): { code: number; details: string } {
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth += 1) {
    if (isGrpcServiceError(one)) return { code: one.code, details: one.details };
  }
  return { code: -1, details: '' };
}

export function isLostConnection(error: unknown): boolean {
  const { code } = grpcOf(error instanceof Told ? error.cause : error);
  return code === GRPC.unavailable || code === GRPC.deadlineExceeded || code === GRPC.cancelled || isConnecting(error);
}

/** The server takes ten updates of one workflow at a time. */
export function isTooManyUpdates(error: unknown): boolean {
  return grpcOf(error).code === GRPC.resourceExhausted;
}

function isConnecting(error: unknown): boolean {
  return /connect|ENOTFOUND|ECONNREFUSED/i.test(messageOf(error));
}

function isMissingNamespace(error: unknown): boolean {
  return error instanceof NamespaceNotFoundError || /namespace .*not found/i.test(grpcOf(error).details);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
