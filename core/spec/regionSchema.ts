import { z } from 'zod';

import { eventSourceSchema } from './eventSourceSchema.js';
import { historySchema } from './historySchema.js';
import { GRAPH_SOURCE_KINDS, NOTIFICATION_KINDS } from './region.js';
import type { FreezeSpec, EndpointSpec, HookSpec, RegionSpec, SocketSpec } from './region.js';
import { httpUrl, instant, label, nonEmpty, text, timeZoneName } from './schemaParts.js';
import { SETTING_FIELDS } from './settings.js';
import { signalsSchema } from './signalSourceSchema.js';
import { isAddress, isPort, parseSockets } from './socket.js';

export type { IssueHelp } from './schemaParts.js';

const HOST_KEY = /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]{40,}={0,2}(?: .*)?$/;

const absolutePath = text((v) => v.startsWith('/') && !v.includes('\0'), 'is not an absolute path', {
  expected: 'a path that starts with "/", on the host',
});

const urlPath = text((v) => /^\/[^\s?#]*$/.test(v), 'is not a URL path', {
  expected: 'a path that starts with "/", without spaces, "?" or "#"',
});

const headerName = text((v) => /^[A-Za-z0-9-]+$/.test(v), 'is not the name of a header', {
  expected: 'letters, digits and "-"',
});

const seconds = z.number().positive();
const cost = z.number().min(1e-9).max(1e9);
const fraction = z.number().positive().max(1);
const errorRate = z.number().min(0).lt(1);
const count = z.int().min(1).max(1_000_000);
/** An hour: what takes longer is no request. */
const milliseconds = z.number().positive().max(3_600_000);
/** Beyond any service; more is a mistake of units. */
const MAX_RPS = 1e9;
const quantile = z.enum(['p50', 'p80', 'p90', 'p95', 'p99']);

const socketObject = z.strictObject({
  address: text(isAddress, 'is not an address', { expected: 'an IP address or a DNS name' }),
  port: z.int().min(1).max(65_535),
});

const endpointObject = socketObject.extend({ zone: nonEmpty.optional() });
const zonedRange = z.strictObject({ at: nonEmpty, zone: nonEmpty });

const SOCKET_FIX = 'write "127.0.0.1:21000" or {address: 127.0.0.1, port: 21000}';

/** Accepts `address:port` or `{address, port}`; for endpoints also ranges, and a zone of either. */
function sockets(ranges: boolean): z.ZodType<readonly EndpointSpec[]> {
  const expected = ranges
    ? 'address:port, address:first-last, {address, port, zone} or {at: address:first-last, zone}'
    : 'address:port or {address, port}';
  return z.unknown().transform((value, context): readonly EndpointSpec[] => {
    const refuse = (message: string, path: readonly PropertyKey[] = []): typeof z.NEVER => {
      const params = { expected, fix: SOCKET_FIX };
      context.issues.push({ code: 'custom', message, params, path: [...path], input: value });
      return z.NEVER;
    };
    if (typeof value === 'string') {
      const parsed = parseSockets(value);
      if (!parsed.ok) return refuse(parsed.message);
      if (!ranges && parsed.sockets.length !== 1) return refuse('is a range where one port belongs');
      return parsed.sockets;
    }
    const range = ranges ? zonedRange.safeParse(value) : undefined;
    if (range?.success === true) {
      const { at, zone } = range.data;
      const parsed = parseSockets(at);
      return parsed.ok ? parsed.sockets.map((one) => ({ ...one, zone })) : refuse(parsed.message, ['at']);
    }
    const parsed = (ranges ? endpointObject : socketObject).safeParse(value);
    if (parsed.success) return [withoutUndefined(parsed.data)];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return refuse(value === undefined ? 'is required' : 'is not an address with a port');
    }
    for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: value } as z.core.$ZodRawIssue);
    return z.NEVER;
  });
}

/** zod leaves `undefined` in place of what a file leaves out; the types of a region have no such keys. */
function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const given = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]: Exclude<T[K], undefined> };
}

const socket = sockets(false).transform((list): SocketSpec => list[0] ?? { address: '', port: 0 });

const locality = z.strictObject({ region: nonEmpty, zone: nonEmpty });

const host = z.strictObject({
  name: label,
  zone: nonEmpty,
  connection: z.enum(['local', 'ssh']),
  ssh: z
    .strictObject({
      address: text(isAddress, 'is not an address', { expected: 'an IP address or a DNS name' }),
      port: z
        .int()
        .refine(isPort, { error: 'is outside 1–65535', params: { expected: 'a port' } })
        .default(22),
      user: nonEmpty,
      privateKeyFile: nonEmpty.optional(),
      hostKey: text((v) => HOST_KEY.test(v), 'is not a host key', {
        expected: 'a key as in known_hosts, "ssh-ed25519 AAAA…"',
        fix: 'take it from the host itself: cat /etc/ssh/ssh_host_ed25519_key.pub',
      }),
    })
    .optional(),
  directory: absolutePath,
  python: absolutePath.default('/usr/bin/python3'),
  proxy: z.strictObject({
    binary: absolutePath,
    manager: z.enum(['process', 'systemd', 'external']).default('process'),
    ingress: socket,
    mesh: socket,
    admin: socket,
    inbound: z
      .array(z.strictObject({ service: nonEmpty, socket, app: socket }))
      .min(1)
      .optional(),
  }),
  nodeExporter: httpUrl.optional(),
});

const service = z.strictObject({
  name: label,
  entry: z.strictObject({ pathPrefix: urlPath, valuePerRequest: cost.optional() }).optional(),
  endpoints: z
    .array(sockets(true))
    .min(1)
    .transform((lists) => lists.flat()),
  protocol: z.enum(['http', 'http2', 'grpc', 'websocket', 'tcp']).optional(),
  criticality: z.enum(['critical', 'normal', 'sheddable']).optional(),
  affinity: z.union([z.strictObject({ header: headerName }), z.strictObject({ cookie: nonEmpty })]).optional(),
  idempotent: z.boolean().optional(),
  heterogeneous: z.boolean().optional(),
  payload: z
    .strictObject({ requestBytes: z.number().min(0).max(1e12), responseBytes: z.number().min(0).max(1e12) })
    .optional(),
  healthPath: urlPath.default('/healthz'),
  capacity: z.strictObject({
    concurrency: count,
    serviceTimeMs: milliseconds,
    startupSeconds: z.number().min(0).max(86_400),
    serviceTimeCv: z.number().min(0).max(5).optional(),
    cpuMsPerRequest: milliseconds.optional(),
    coresPerInstance: z.number().positive().max(10_000).optional(),
    memory: z
      .strictObject({
        mibPerRequest: z.number().positive().max(1e6),
        mibPerInstance: z.number().positive().max(1e8),
        idleMib: z.number().min(0).max(1e8).optional(),
      })
      .optional(),
  }),
  slo: z.strictObject({ p99Ms: milliseconds, maxErrorRate: errorRate.default(0.01) }),
  minInstances: count.default(1),
});

/** One event known ahead, in a region file or a JSON file of events. */
export const eventSchema = z.strictObject({
  id: nonEmpty,
  kind: nonEmpty,
  start: instant,
  end: instant,
  regions: z.array(nonEmpty).optional(),
  services: z.array(nonEmpty).optional(),
  uplift: z.number().gt(-1).max(100).optional(),
  channel: nonEmpty.optional(),
  budget: z.number().min(0).optional(),
});

const neighbour = z.strictObject({
  name: label,
  locality,
  gateway: socket,
  networkLatencyMs: z.number().min(0).max(60_000),
  spareRps: z.record(z.string(), z.number().min(0).max(MAX_RPS)).default({}),
  egressCostPerGb: z.number().min(0).max(1e6).optional(),
});

const planning = z.strictObject({
  windowSeconds: seconds.max(7 * 86_400).default(3600),
  leadSeconds: z.number().min(0).max(86_400).default(300),
  hysteresis: z.number().min(0).max(0.5).default(0.1),
  survive: z.enum(['none', 'instance', 'zone']).default('none'),
  maxUtilisation: fraction.default(0.8),
  arrivalCv2: z.number().min(0).max(100).default(1),
  replanSeconds: seconds.min(10).optional(),
  deployments: z.strictObject({ file: nonEmpty }).optional(),
  networkLatency: z.enum(['stated', 'measured']).optional(),
  peaks: z.strictObject({ file: nonEmpty }).optional(),
});

const costs = z.strictObject({
  shortagePerRequest: cost.optional(),
  idlePerInstanceHour: cost.optional(),
  perSecondOfWait: cost.default(0.001),
});

const certificate = { certificateFile: absolutePath, privateKeyFile: absolutePath };
const tls = z.strictObject({
  ingress: z.strictObject(certificate).optional(),
  mesh: z.strictObject({ ...certificate, caFile: absolutePath }).optional(),
});

const graph = z.strictObject({
  edges: z
    .array(z.strictObject({ caller: nonEmpty, callee: nonEmpty, callsPerRequest: z.number().positive().max(1000) }))
    .optional(),
  sources: z.array(z.strictObject({ kind: z.enum(GRAPH_SOURCE_KINDS), file: nonEmpty })).optional(),
});

const HOOK_FIX = 'write {url: "https://…"} or {command: [/usr/local/bin/move-entry, --region]}';
const argument = text((v) => !v.includes('\0'), 'holds a character that no argument may', { expected: 'text' });
const hook = z
  .strictObject({
    url: httpUrl.optional(),
    command: z.tuple([absolutePath], argument).optional(),
    timeoutSeconds: seconds.max(300).default(5),
  })
  .transform((value, context): HookSpec => {
    const { url, command, timeoutSeconds } = value;
    if (url !== undefined && command === undefined) return { url, timeoutSeconds };
    if (url === undefined && command !== undefined) return { command, timeoutSeconds };
    const params = { expected: 'a url or a command, one of the two', fix: HOOK_FIX };
    context.issues.push({ code: 'custom', message: 'is not one hook', params, input: value });
    return z.NEVER;
  });

const autonomyLevel = z.enum(['observe', 'suggest', 'approve', 'act']);
const settingClass = z.enum([
  ...new Set(Object.keys(SETTING_FIELDS).map((field) => field.split('.')[0] ?? field)),
  'weight',
]);
const weekTime = text(
  (v) => /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01]\d|2[0-3]):[0-5]\d$/.test(v),
  'is not a time of the week',
  {
    expected: 'a day and a time of day, "Fri 16:00"',
  },
);
/** Once or weekly is told across fields, by `freezeProblems`, in better words than a union has. */
const freeze = z.strictObject({
  why: nonEmpty,
  from: instant.optional(),
  to: instant.optional(),
  weekly: z.strictObject({ from: weekTime, to: weekTime, timeZone: timeZoneName }).optional(),
}) as unknown as z.ZodType<FreezeSpec, FreezeSpec>;
const notification = z.strictObject({
  url: httpUrl,
  on: z.array(z.enum(NOTIFICATION_KINDS)).min(1).optional(),
  secretFile: nonEmpty.optional(),
  secretVariable: nonEmpty.optional(),
  timeoutSeconds: seconds.max(60).default(10),
});

/**
 * The region file, `apiVersion: psmg/v1`. Unknown keys are refused: a mistyped safety limit must not be ignored.
 * What a key leaves out takes the default written here.
 */
export const regionSchema = z.strictObject({
  apiVersion: z.literal('psmg/v1'),
  name: label,
  locality,
  autonomy: autonomyLevel.default('observe'),
  autonomyRules: z
    .array(z.strictObject({ level: autonomyLevel, service: nonEmpty.optional(), class: settingClass.optional() }))
    .max(256)
    .optional(),
  mode: z.enum(['live', 'preview']).optional(),
  approvals: z
    .strictObject({
      autoBelowPercent: z.number().min(0).max(100).default(0),
      approverNotRequester: z.boolean().default(false),
      requester: nonEmpty.optional(),
      timeoutSeconds: seconds.max(30 * 86_400).default(86_400),
    })
    .optional(),
  freezes: z.array(freeze).max(200).optional(),
  notifications: z.array(notification).max(10).optional(),
  fleet: z.strictObject({ id: nonEmpty.default('fleet'), permitSeconds: seconds.max(86_400).default(1800) }).optional(),
  mesh: z.strictObject({ kind: z.enum(['envoy']).default('envoy') }).prefault({}),
  delivery: z.strictObject({
    tool: z.enum(['ansible']).default('ansible'),
    hostWaitSeconds: seconds.default(300),
    hosts: z.array(host).min(1),
  }),
  services: z.array(service).min(1),
  graph: graph.prefault({}),
  history: historySchema,
  signals: signalsSchema.optional(),
  forecast: z.strictObject({
    horizonSteps: count.max(10_000),
    seasons: z.array(z.int().min(2).max(100_000)).min(1).max(4),
    demandQuantile: quantile.default('p95'),
    timeZone: timeZoneName.optional(),
  }),
  events: z.array(eventSchema).default([]),
  eventSources: z.array(eventSourceSchema).max(50).optional(),
  neighbours: z.array(neighbour).default([]),
  stack: z.strictObject({ timeoutSeconds: seconds.default(600), minReadyFraction: fraction.default(1) }).prefault({}),
  activation: z
    .strictObject({
      steps: z.array(z.number().positive().max(100)).min(1).max(20).default([10, 25, 50, 100]),
      judgeSeconds: seconds.default(10),
      minRequests: count.default(50),
      maxErrorRate: errorRate.default(0.01),
      maxInconclusive: z.int().min(0).default(3),
    })
    .prefault({}),
  operate: z
    .strictObject({
      tickSeconds: seconds.default(10),
      maxStepFraction: z.number().positive().max(0.5).default(0.1),
      maxInconclusiveTicks: count.default(3),
      minRequestsPerTick: count.default(20),
    })
    .prefault({}),
  planning: planning.optional(),
  costs: costs.optional(),
  tls: tls.optional(),
  hooks: z.strictObject({ instanceTargets: hook.optional(), entry: hook.optional() }).prefault({}),
  demandClock: z.strictObject({ demandFrom: instant, wallFrom: instant, speed: z.number().positive() }).optional(),
}) satisfies z.ZodType<RegionSpec>;
