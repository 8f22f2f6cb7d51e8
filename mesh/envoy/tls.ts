import type { CertificateFiles, HostSpec, Protocol, RegionSpec } from '../../core/spec/region.js';
import { toYaml } from '../document.js';
import type { Tree } from '../document.js';
import { FILES, TYPES, watched } from './names.js';
import { upstreamAlpn } from './protocols.js';

/** Names of the secrets, and of the files that say where on the host they are. */
const INGRESS_CERTIFICATE = 'ingress';
const MESH_CERTIFICATE = 'mesh';
const MESH_AUTHORITY = 'mesh-ca';

const AT_LEAST = { tls_minimum_protocol_version: 'TLSv1_2' };
const DOWNSTREAM_ALPN = ['h2', 'http/1.1'];

/**
 * Where certificates are on the host, by path under the host's directory; empty without TLS. Keys never pass through
 * here: the files hold names of files, and Envoy reads those again when something is moved into their folder.
 */
export function renderSecrets(region: RegionSpec): Record<string, string> {
  const { ingress, mesh } = region.tls ?? {};
  const certificate = (name: string, files: CertificateFiles, head: string): [string, string] => [
    FILES.secret(name),
    secretFile({ name, tls_certificate: certificateTree(files) }, head),
  ];
  return Object.fromEntries([
    ...(ingress === undefined ? [] : [certificate(INGRESS_CERTIFICATE, ingress, 'what users see')]),
    ...(mesh === undefined
      ? []
      : [
          certificate(MESH_CERTIFICATE, mesh, 'what services show each other'),
          [FILES.secret(MESH_AUTHORITY), authorityFile(mesh.caFile)] as [string, string],
        ]),
  ]);
}

function secretFile(secret: { [key: string]: Tree }, head: string): string {
  return toYaml({ resources: [{ '@type': TYPES.secret, ...secret }] }, head);
}

function certificateTree({ certificateFile, privateKeyFile }: CertificateFiles): Tree {
  const folder = folderOf(certificateFile);
  return {
    certificate_chain: { filename: certificateFile },
    private_key: { filename: privateKeyFile },
    // Without it Envoy watches the folder of each file; one watch reads a pair once.
    ...(folder === folderOf(privateKeyFile) ? { watched_directory: { path: folder } } : {}),
  };
}

function authorityFile(caFile: string): string {
  const validation_context = { trusted_ca: { filename: caFile }, watched_directory: { path: folderOf(caFile) } };
  return secretFile({ name: MESH_AUTHORITY, validation_context }, 'who vouches for certificates in the mesh');
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/')) || '/';
}

/** Of the listener that users reach; nothing without `tls.ingress`. */
export function ingressTls(region: RegionSpec, host: HostSpec): { [key: string]: Tree } {
  if (region.tls?.ingress === undefined) return {};
  return downstream({ common_tls_context: common(host, INGRESS_CERTIFICATE, DOWNSTREAM_ALPN) });
}

/** Of listeners that services reach: who shows no certificate of the mesh is not let in. Nothing without `tls.mesh`. */
export function meshTls(region: RegionSpec, host: HostSpec, protocol?: Protocol): { [key: string]: Tree } {
  if (region.tls?.mesh === undefined) return {};
  const alpn = protocol === 'tcp' ? [] : DOWNSTREAM_ALPN;
  return downstream({
    require_client_certificate: true,
    common_tls_context: { ...common(host, MESH_CERTIFICATE, alpn), ...authority(host) },
  });
}

/**
 * Towards endpoints, health checks included. Any certificate that the mesh's authority signed will do, whatever name
 * is in it: instances of a service are reached at addresses, and one certificate stands for all that is on a host.
 */
export function upstreamTls(
  region: RegionSpec,
  host: HostSpec,
  service: string,
  protocol?: Protocol,
): { [key: string]: Tree } {
  if (region.tls?.mesh === undefined) return {};
  const context = { ...common(host, MESH_CERTIFICATE, upstreamAlpn(protocol)), ...authority(host) };
  return transportSocket({ '@type': TYPES.upstreamTls, sni: service, common_tls_context: context });
}

function downstream(context: { [key: string]: Tree }): { [key: string]: Tree } {
  return transportSocket({ '@type': TYPES.downstreamTls, ...context });
}

function transportSocket(typed_config: Tree): { [key: string]: Tree } {
  return { transport_socket: { name: 'envoy.transport_sockets.tls', typed_config } };
}

function common(host: HostSpec, certificate: string, alpn: readonly string[]): { [key: string]: Tree } {
  return {
    tls_params: AT_LEAST,
    ...(alpn.length === 0 ? {} : { alpn_protocols: alpn }),
    tls_certificate_sds_secret_configs: [secret(host, certificate)],
  };
}

function authority(host: HostSpec): { [key: string]: Tree } {
  return { validation_context_sds_secret_config: secret(host, MESH_AUTHORITY) };
}

function secret(host: HostSpec, name: string): Tree {
  return { name, sds_config: watched(host, FILES.secret(name)) };
}
