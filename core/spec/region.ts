/** What a person writes in a region file (`apiVersion: psmg/v1`). The schema in regionSchema.ts enforces it. */

import type { EventSourceSpec } from './eventSource.js';
import type { HistorySpec } from './history.js';
import type { SignalsSpec } from './signalSource.js';

/** How far the program may go by itself. `observe` unless the region file says more. */
export type Autonomy = 'observe' | 'suggest' | 'approve' | 'act';

/** Level of autonomy for some settings. */
export interface AutonomyRule {
  level: Autonomy;
  /** Absent: every service. */
  service?: string;
  /** What stands before the first dot of a setting (`rateLimit`, `breaker` …), or `weight`; absent: every class. */
  class?: string;
}

/** Which plans wait for a person's word before they are put in force. */
export interface ApprovalsSpec {
  /** A plan whose blast radius is below this waits for nobody. 0: every plan waits. */
  autoBelowPercent: number;
  /** Whoever asked for the plan (launched the region, sent `replan`) may not approve it. */
  approverNotRequester: boolean;
  /** Who launched the region; needed where the approver must be another. */
  requester?: string;
  /** After which a plan that nobody approved is dropped; what runs stays. */
  timeoutSeconds: number;
}

/** A time in which nothing changes by itself: once, or every week. */
export type FreezeSpec =
  | { why: string; from: string; to: string }
  | {
      why: string;
      weekly: {
        /** First and last day and the time of day, by the clocks of `timeZone`, e.g. `Fri 16:00` to `Mon 08:00`. */
        from: string;
        to: string;
        /** IANA name. */
        timeZone: string;
      };
    };

export const NOTIFICATION_KINDS = [
  'blocked',
  'approval-wanted',
  'reverted',
  'trust-lost',
  'unblocked',
  'ended',
] as const;
/** What people are told of by webhook. */
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

export interface NotificationSpec {
  /** Takes a POST of JSON, signed as docs/notifications.md says. */
  url: string;
  /** Absent: of everything. */
  on?: readonly NotificationKind[];
  /** File or variable on the worker's machine that holds the secret; absent: not signed. */
  secretFile?: string;
  secretVariable?: string;
  timeoutSeconds: number;
}

/** Planned changes wait until the coordinator `fleet` permits them. */
export interface FleetSpec {
  /** Workflow id of the coordinator. */
  id: string;
  /** How long a change that the fleet permitted may take. */
  permitSeconds: number;
}

export type MeshKind = 'envoy';
export type DeliveryTool = 'ansible';

export interface RegionSpec {
  apiVersion: 'psmg/v1';
  /** DNS label; the workflow id is `region/<name>`. */
  name: string;
  locality: LocalitySpec;
  autonomy: Autonomy;
  /** Exceptions from it, the last that fits wins. Absent: none. */
  autonomyRules?: readonly AutonomyRule[];
  /** `preview`: forecast and plan, and nothing is applied before a person approves the plan. Absent: live. */
  mode?: 'live' | 'preview';
  /** Absent: plans are put in force as far as `autonomy` goes, and adjustments at level approve wait. */
  approvals?: ApprovalsSpec;
  /** When nothing may change by itself. Absent: no calendar. */
  freezes?: readonly FreezeSpec[];
  /** Whom to tell when a person is needed. Absent: nobody. */
  notifications?: readonly NotificationSpec[];
  /** Absent: the region changes when it wants to. */
  fleet?: FleetSpec;
  mesh: MeshSpec;
  delivery: DeliverySpec;
  services: readonly ServiceSpec[];
  graph: GraphSpec;
  history: HistorySpec;
  /** Absent: nothing but our own reading of the proxies. */
  signals?: SignalsSpec;
  forecast: ForecastSpec;
  events: readonly EventSpec[];
  /** Absent: none. */
  eventSources?: readonly EventSourceSpec[];
  neighbours: readonly NeighbourSpec[];
  stack: StackSpec;
  activation: ActivationSpec;
  operate: OperateSpec;
  hooks: HooksSpec;
  /** Absent: the defaults of the schema. */
  planning?: PlanningSpec;
  /** What things cost, in any one currency; absent: capacity is bought for `forecast.demandQuantile`. */
  costs?: CostsSpec;
  /** Absent: plain text, inside and outside. */
  tls?: TlsSpec;
  /** Present only where recorded demand is replayed with time compressed. */
  demandClock?: DemandClockSpec;
}

export interface LocalitySpec {
  region: string;
  zone: string;
}

export interface MeshSpec {
  kind: MeshKind;
}

export interface DeliverySpec {
  tool: DeliveryTool;
  /** Seconds to wait for a host's SSH port before the playbook gives up. */
  hostWaitSeconds: number;
  hosts: readonly HostSpec[];
}

/** A machine that runs one Envoy for the region. Paths are on that machine. */
export interface HostSpec {
  name: string;
  zone: string;
  connection: 'local' | 'ssh';
  ssh?: SshSpec;
  /** Folder that PSMG owns on the host. */
  directory: string;
  python: string;
  proxy: ProxySpec;
  /** URL of its node exporter's metrics, as the worker reaches it; absent: CPU and memory of the host are not known. */
  nodeExporter?: string;
}

export interface SshSpec {
  address: string;
  port: number;
  user: string;
  /** Path of the private key on the worker's machine; absent: the SSH agent. */
  privateKeyFile?: string;
  /** Known host key as in known_hosts, `ssh-ed25519 AAAA…`. An unknown key is never accepted. */
  hostKey: string;
}

export interface ProxySpec {
  /** Path of the Envoy binary on the host. */
  binary: string;
  /** `process`: started detached by the playbook; `systemd`: a unit is laid out; `external`: somebody else runs it. */
  manager: 'process' | 'systemd' | 'external';
  ingress: SocketSpec;
  /** Where services of the region call each other, by `Host: <service>`. */
  mesh: SocketSpec;
  admin: SocketSpec;
  /** Instances on this host that receive their requests through this proxy; absent: requests reach instances directly. */
  inbound?: readonly InboundSpec[];
}

/** A proxy in front of one instance: what is called at `socket` is limited there and handed on to `app`. */
export interface InboundSpec {
  service: string;
  /** One of the service's endpoints. */
  socket: SocketSpec;
  /** Where the instance itself listens. */
  app: SocketSpec;
}

export interface SocketSpec {
  address: string;
  port: number;
}

export interface EndpointSpec extends SocketSpec {
  /** Availability zone; absent: the region's. */
  zone?: string;
}

/** What travels: `http` is HTTP/1.1, `http2` and `grpc` HTTP/2, `websocket` HTTP/1.1 with upgrades, `tcp` bytes. */
export type Protocol = 'http' | 'http2' | 'grpc' | 'websocket' | 'tcp';

/** What is refused first when not everything can be served: `sheddable`, then `normal`; `critical` last. */
export type Criticality = 'critical' | 'normal' | 'sheddable';

/** What makes requests of one user meet the same instance. */
export type AffinitySpec = { header: string } | { cookie: string };

export interface ServiceSpec {
  name: string;
  /** Present when users reach the service from outside. */
  entry?: {
    pathPrefix: string;
    /** What one answered request is worth, in the currency of `costs`; absent: by criticality. */
    valuePerRequest?: number;
  };
  /** Addresses where instances will listen, in the order in which they are filled. */
  endpoints: readonly EndpointSpec[];
  /** Absent: http. */
  protocol?: Protocol;
  /** Absent: normal. */
  criticality?: Criticality;
  affinity?: AffinitySpec;
  /** A repeated request does no harm, so that one that failed may be asked again elsewhere. Absent: false. */
  idempotent?: boolean;
  /** Instances differ in speed by more than a little. Absent: false. */
  heterogeneous?: boolean;
  /** Mean bytes of a request and its response, for the cost of egress. */
  payload?: { requestBytes: number; responseBytes: number };
  healthPath: string;
  capacity: {
    /** Requests that one instance works on at the same time. */
    concurrency: number;
    /** Mean service time of one request without waiting. */
    serviceTimeMs: number;
    startupSeconds: number;
    /** Standard deviation of the service time over its mean; absent: what the SLO leaves room for, at most 1. */
    serviceTimeCv?: number;
    /** CPU that one request takes, and cores that one instance has. */
    cpuMsPerRequest?: number;
    coresPerInstance?: number;
    /** What one request in flight holds, what one instance has, and what it takes idle (absent: nothing), MiB. */
    memory?: { mibPerRequest: number; mibPerInstance: number; idleMib?: number };
  };
  slo: { p99Ms: number; maxErrorRate: number };
  minInstances: number;
}

export interface GraphSpec {
  /** Calls stated by hand. */
  edges?: readonly GraphEdgeSpec[];
  /** Files to merge; docs/graph-sources.md. */
  sources?: readonly GraphSourceSpec[];
}

export interface GraphEdgeSpec {
  caller: string;
  callee: string;
  callsPerRequest: number;
}

export interface GraphSourceSpec {
  kind: GraphSourceKind;
  file: string;
}

export const GRAPH_SOURCE_KINDS = [
  'yaml',
  'otel-servicegraph',
  'otlp',
  'jaeger',
  'zipkin',
  'kiali',
  'istio',
  'kubernetes',
  'compose',
] as const;
export type GraphSourceKind = (typeof GRAPH_SOURCE_KINDS)[number];

export interface ForecastSpec {
  horizonSteps: number;
  /** Season lengths in steps, e.g. [24, 168] for hourly data. */
  seasons: readonly number[];
  /** Demand quantile that capacity is bought for. */
  demandQuantile: QuantileName;
  /** IANA name of the clocks that holidays and calendar days go by; absent: UTC. */
  timeZone?: string;
}

export type QuantileName = 'p50' | 'p80' | 'p90' | 'p95' | 'p99';

/** Known ahead: campaign, holiday, season, news. */
export interface EventSpec {
  id: string;
  kind: string;
  /** ISO 8601 with zone. */
  start: string;
  end: string;
  regions?: readonly string[];
  services?: readonly string[];
  /** Stated effect on demand as a factor − 1: 0.5 is +50 %. */
  uplift?: number;
  /** Of a campaign: where it runs (`tv`, `mail`, `search`) and what it costs, in any one currency. */
  channel?: string;
  budget?: number;
}

/** A region that already serves and that can take this region's requests. */
export interface NeighbourSpec {
  name: string;
  locality: LocalitySpec;
  /** Its mesh listener: takes requests for any service by `Host: <service>`. */
  gateway: SocketSpec;
  networkLatencyMs: number;
  /** Requests per second that it can take from us on top of its own, by service. */
  spareRps: Readonly<Record<string, number>>;
  /** What a gigabyte between here and there costs, either way; absent: nothing. */
  egressCostPerGb?: number;
}

/** How the plan is cut into windows and what it must outlast. */
export interface PlanningSpec {
  /** Length of a window; the forecast's steps within it are planned for together. */
  windowSeconds: number;
  /** How long before its demand a window is in force, on top of the slowest start-up. */
  leadSeconds: number;
  /** A number that moves by less than this fraction from one window to the next stays as it is, unless demand needs it. */
  hysteresis: number;
  /** What may be lost at once without breaking an SLO. */
  survive: 'none' | 'instance' | 'zone';
  /** No instance is planned busier than this, 0–1. */
  maxUtilisation: number;
  /** Squared coefficient of variation of the times between arrivals: 1 is Poisson, more is burstier. */
  arrivalCv2: number;
  /** How often an operating region forecasts and plans anew; absent: when it is asked to. */
  replanSeconds?: number;
  /** Records of past deployments that calibrate capacity; docs/deployment-records.md. */
  deployments?: { file: string };
  /** Latency to neighbours as stated, or as probes measured it where they contradict that. Absent: stated. */
  networkLatency?: 'stated' | 'measured';
  /** Requests by second, CSV as demand history: how far a second goes above its step; docs/capacity.md. */
  peaks?: { file: string };
}

/** One currency throughout. */
export interface CostsSpec {
  /** Of a request that could not be served. */
  shortagePerRequest?: number;
  /** Of an instance that stands idle for an hour. */
  idlePerInstanceHour?: number;
  /** Of one second that one user waits. */
  perSecondOfWait: number;
}

/** Files on the hosts, read again when they are replaced. */
export interface TlsSpec {
  /** What users see. */
  ingress?: CertificateFiles;
  /** Between services: both ends show a certificate that `caFile` vouches for. */
  mesh?: CertificateFiles & { caFile: string };
}

export interface CertificateFiles {
  certificateFile: string;
  privateKeyFile: string;
}

export interface StackSpec {
  /** How long to wait for the planned instances after the mesh is ready. */
  timeoutSeconds: number;
  /** Fraction of the planned instances that is enough to go on (0–1]. */
  minReadyFraction: number;
}

export interface ActivationSpec {
  /** Percent of the planned local weight, rising, last one 100. */
  steps: readonly number[];
  judgeSeconds: number;
  /** Fewer requests than this in a judging window is inconclusive. */
  minRequests: number;
  maxErrorRate: number;
  /** How often an inconclusive step is judged again before the region parks. */
  maxInconclusive: number;
}

export interface OperateSpec {
  tickSeconds: number;
  /** Largest relative move of one adjustment (0.1 is 10 %). */
  maxStepFraction: number;
  /** Ticks after which an unjudged adjustment returns to the incumbent. */
  maxInconclusiveTicks: number;
  minRequestsPerTick: number;
}

export interface HooksSpec {
  /** Told `{region, planHash, targets: [{service, instances}]}` once the mesh is ready. */
  instanceTargets?: HookSpec;
  /** Told `{region, phase: 'activate'|'drain'}` for what others own: DNS, global balancers. */
  entry?: HookSpec;
}

/** What is called where others own something: a URL that takes a POST of JSON, or a program that reads it. */
export type HookSpec = HttpHookSpec | CommandHookSpec;

export interface HttpHookSpec {
  url: string;
  timeoutSeconds: number;
}

/** A program on the worker's machine, run without a shell: an absolute path and its arguments. JSON is on its stdin. */
export interface CommandHookSpec {
  command: readonly string[];
  timeoutSeconds: number;
}

/** Maps wall time to demand time: demand = demandFrom + (now − wallFrom) × speed. */
export interface DemandClockSpec {
  demandFrom: string;
  wallFrom: string;
  /** Demand seconds in one wall second. */
  speed: number;
}
