import type { LiveService } from '../../core/spec/live.js';
import type { Protocol, RegionSpec } from '../../core/spec/region.js';
import type { Tree } from '../document.js';
import { OVERLOADED_HEADER, TYPES } from './names.js';

/** Node's HTTP server, among others, closes idle connections after 5 s; we let go first, or requests meet the close. */
const UPSTREAM_IDLE = '4s';

/** Path by which gRPC services are asked for their health in gRPC's own protocol. */
export const GRPC_HEALTH_PATH = '/grpc.health.v1.Health/Check';

/** gRPC's and HTTP/2's requests share connections; WebSockets begin as HTTP/1.1. */
export function isHttp2(protocol: Protocol | undefined): boolean {
  return protocol === 'http2' || protocol === 'grpc';
}

/** What is negotiated in TLS with an endpoint; bytes are negotiated as nothing. */
export function upstreamAlpn(protocol: Protocol | undefined): readonly string[] {
  if (protocol === 'tcp') return [];
  return [isHttp2(protocol) ? 'h2' : 'http/1.1'];
}

/** Services that any host of the region receives through a proxy. */
export function servicesBehindProxies(region: RegionSpec): ReadonlySet<string> {
  return new Set(region.delivery.hosts.flatMap(({ proxy }) => (proxy.inbound ?? []).map(({ service }) => service)));
}

/** How requests are spoken to a cluster. Not for `tcp`. */
export function httpProtocolOptions(protocol: Protocol | undefined, behindProxy: boolean): { [key: string]: Tree } {
  return {
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': TYPES.httpProtocolOptions,
        common_http_protocol_options: { idle_timeout: UPSTREAM_IDLE },
        explicit_http_config: isHttp2(protocol) ? { http2_protocol_options: {} } : { http_protocol_options: {} },
        ...(behindProxy ? { outlier_detection: { error_matcher: failedAndNotOverloaded() } } : {}),
      },
    },
  };
}

/**
 * An instance that refuses what is too much for it works. Taken out of rotation for it, it would hand its load to
 * the others until they are out as well.
 */
function failedAndNotOverloaded(): Tree {
  const matches = (header: Tree): Tree => ({ http_response_headers_match: { headers: [header] } });
  return {
    and_match: {
      rules: [
        matches({ name: ':status', range_match: { start: 500, end: 600 } }),
        { not_match: matches({ name: OVERLOADED_HEADER, present_match: true }) },
      ],
    },
  };
}

/** What an endpoint is asked. By Host, so that a neighbour's gateway asks the service behind and not itself. */
export function healthQuestion({ service, protocol, healthPath }: LiveService): { [key: string]: Tree } {
  if (protocol === 'tcp') return { tcp_health_check: {} };
  if (protocol === 'grpc' && healthPath === GRPC_HEALTH_PATH) return { grpc_health_check: { authority: service } };
  const codec = isHttp2(protocol) ? { codec_client_type: 'HTTP2' } : {};
  return { http_health_check: { host: service, path: healthPath, ...codec } };
}
