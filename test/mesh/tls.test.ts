import { mkdtemp, readFile, rm } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { validateWithEnvoy } from '../../adapters/mesh/validateEnvoy.js';
import type { LiveMesh } from '../../core/spec/live.js';
import type { CertificateFiles, RegionSpec } from '../../core/spec/region.js';
import { flatten } from '../../mesh/envoy/flatten.js';
import { render } from '../../mesh/envoy/render.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { createAuthority } from '../../testbed/certificates.js';
import type { Authority } from '../../testbed/certificates.js';
import { closeConnections, eventually, freePorts, get, startUpstream } from '../fixtures/envoyProcess.js';
import type { Upstream } from '../fixtures/envoyProcess.js';
import { envoyHost, healthyIn, liveOf, socket, startHost } from '../fixtures/proxiedRegion.js';
import type { Change, EnvoyHost } from '../fixtures/proxiedRegion.js';
import { neighbourSpec, serviceSpec, shopRegion } from '../fixtures/regionSpec.js';

/** One region whose only instance is behind its own door, and a neighbour that is another Envoy of the same authority. */
describe('TLS', () => {
  let folder: string;
  let authority: Authority;
  let stranger: Authority;
  let here: EnvoyHost;
  let there: EnvoyHost;
  let region: RegionSpec;
  let app: Upstream;
  let client: CertificateFiles;
  let door: number;

  const live = (change: Change = {}): LiveMesh => liveOf(region, { front: { failover: ['south'], ...change } });

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'psmg-tls-'));
    authority = await createAuthority(path.join(folder, 'mesh'));
    stranger = await createAuthority(path.join(folder, 'stranger'), 'somebody else');
    client = await authority.issue('client');
    const tls = {
      ingress: await stranger.issue('shop', ['shop.test', 'localhost']),
      mesh: { ...(await authority.issue('edge')), caFile: authority.caFile },
    };
    app = await startUpstream('app');
    const ports = await freePorts(8);
    door = ports[6] ?? 0;
    const far = await envoyHost('far', ports.slice(3, 6), [
      { service: 'front', socket: socket(ports[7] ?? 0), app: socket(app.port) },
    ]);
    there = far;
    here = await envoyHost('near', ports.slice(0, 3), [
      { service: 'front', socket: socket(door), app: socket(app.port) },
    ]);
    const front = serviceSpec({ name: 'front', entry: { pathPrefix: '/' }, endpoints: [socket(door)] });
    const base = { services: [front], graph: {}, tls, neighbours: [] };
    const delivery = { tool: 'ansible', hostWaitSeconds: 1 } as const;
    region = shopRegion({
      ...base,
      delivery: { ...delivery, hosts: [here.host] },
      neighbours: [neighbourSpec({ gateway: far.host.proxy.mesh, spareRps: { front: 5000 } })],
    });
    const other = shopRegion({
      ...base,
      name: 'south',
      delivery: { ...delivery, hosts: [far.host] },
      services: [{ ...front, endpoints: [socket(ports[7] ?? 0)] }],
    });
    await startHost(far, liveOf(other), other);
    await startHost(here, live(), region);
    // The neighbour's gateway as well: health is asked under TLS, through both of its doors.
    await healthyIn(here, 'front', 2);
  }, 30_000);

  afterAll(async () => {
    closeConnections();
    await Promise.all([here, there].map((one) => one.envoy.stop()));
    await app.stop();
    await rm(folder, { recursive: true, force: true });
  });

  interface Seen {
    status: number;
    body: string;
    protocol: string | null;
    serial: string;
  }

  /** A new connection each time, unless `agent` keeps one. */
  async function ask(
    port: number,
    options: { ca: string; certificate?: CertificateFiles; agent?: https.Agent; maxVersion?: 'TLSv1.1' },
  ): Promise<Seen> {
    const { certificate, agent = new https.Agent(), maxVersion } = options;
    const files = certificate === undefined ? [] : [certificate.certificateFile, certificate.privateKeyFile];
    const [cert, key] = await Promise.all(files.map((file) => readFile(file)));
    const ca = await readFile(options.ca);
    return new Promise((resolve, reject) => {
      const request = https.get(
        {
          host: '127.0.0.1',
          port,
          path: '/',
          headers: { host: 'front' },
          servername: 'localhost',
          ca,
          agent,
          ...(cert === undefined || key === undefined ? {} : { cert, key }),
          ...(maxVersion === undefined ? {} : { maxVersion, minVersion: maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' }),
        },
        (response) => {
          const tls = response.socket as TLSSocket;
          const serial = tls.getPeerCertificate().serialNumber;
          let body = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body, protocol: tls.getProtocol(), serial }),
          );
          response.on('error', reject);
        },
      );
      request.on('error', reject);
    });
  }

  const mesh = (): number => here.host.proxy.mesh.port;
  const ingress = (): number => here.host.proxy.ingress.port;

  it('is what users speak, 1.2 or later, and nothing else', async () => {
    const users = { ca: stranger.caFile };
    expect(await ask(ingress(), users)).toMatchObject({ status: 200, body: 'app', protocol: 'TLSv1.3' });
    await expect(ask(ingress(), { ...users, maxVersion: 'TLSv1.1' })).rejects.toThrow(/protocol|version/i);
    await expect(get(ingress(), '/')).rejects.toThrow();
  });

  it.each([
    ['the mesh', () => mesh()],
    ['an instance', () => door],
  ])('lets nobody into %s without a certificate of the mesh', async (_, port) => {
    const seen = app.hosts.length;
    await expect(ask(port(), { ca: authority.caFile })).rejects.toThrow(/certificate required|ECONNRESET/);
    const foreign = await stranger.issue('client');
    await expect(ask(port(), { ca: authority.caFile, certificate: foreign })).rejects.toThrow(/unknown ca|ECONNRESET/i);
    await expect(get(port(), '/', 'front')).rejects.toThrow();
    expect(app.hosts).toHaveLength(seen);
    expect(await ask(port(), { ca: authority.caFile, certificate: client })).toMatchObject({
      status: 200,
      body: 'app',
    });
  });

  it('is spoken with a neighbour too, and the neighbour sees our certificate', async () => {
    await here.envoy.move(render(live({ weights: { north: 0, south: 100 } }), region, here.host));
    await eventually('the neighbour answers', async () => {
      const { body } = await get(there.host.proxy.admin.port, '/stats?filter=^http.mesh.downstream_rq_2xx$');
      await ask(ingress(), { ca: stranger.caFile });
      return /downstream_rq_2xx: [1-9]/.test(body);
    });
    await here.envoy.move(render(live(), region, here.host));
  });

  it('takes a certificate that replaces another one, and drops nothing on the way', async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const asked = { ca: authority.caFile, certificate: client };
    const before = await ask(mesh(), { ...asked, agent });
    let going = true;
    const failures: unknown[] = [];
    const load = Array.from({ length: 2 }, async () => {
      while (going) {
        const { status } = await ask(mesh(), asked).catch((error: unknown) => ({ status: error }));
        if (status !== 200) failures.push(status);
        const kept = await ask(mesh(), { ...asked, agent }).catch((error: unknown) => ({ status: error, serial: '' }));
        if (kept.status !== 200 || kept.serial !== before.serial) failures.push(kept);
      }
    });
    await authority.issue('edge');
    const users = (await ask(ingress(), { ca: stranger.caFile })).serial;
    await stranger.issue('shop', ['shop.test', 'localhost']);
    await eventually('the new certificates', async () => {
      const [inside, outside] = [await ask(mesh(), asked), await ask(ingress(), { ca: stranger.caFile })];
      return inside.serial !== before.serial && outside.serial !== users;
    });
    going = false;
    await Promise.all(load);
    agent.destroy();
    expect(failures).toEqual([]);
    await healthyIn(here, 'front', 2);
  });

  it('is validated by the real Envoy where no certificate is', async () => {
    const absent = { certificateFile: '/no/such/a.crt', privateKeyFile: '/no/such/a.key' };
    const tls = { ingress: absent, mesh: { ...absent, caFile: '/no/such/ca.crt' } };
    const files = render(live(), { ...region, tls }, here.host);
    const flat = flatten(files);
    expect(flat).not.toContain('dyn/');
    expect(flat.match(/no\/such\/a.crt/g)).toHaveLength(2);
    expect(await validateWithEnvoy(locatePart('envoy'), flat)).toEqual([]);
    const broken = flat.replace('require_client_certificate: true', 'require_client_certificate: perhaps');
    expect(await validateWithEnvoy(locatePart('envoy'), broken)).toHaveLength(1);
    const misread = flat.replace('certificate_chain:', 'certificate_chian:');
    expect(await validateWithEnvoy(locatePart('envoy'), misread)).toHaveLength(1);
    expect(() => flatten(Object.fromEntries(Object.entries(files).filter(([file]) => !file.includes('sds-'))))).toThrow(
      'which no file has',
    );
  });
});
