import type { GoModule } from './goModule.js';

const VERSION_STRINGS = 'k8s.io/component-base/version';

/** The API server alone: enough for kubectl, CRDs and an istiod. */
export const apiServerModule: GoModule = {
  name: 'kube-apiserver',
  folder: 'kubernetes',
  versionOf: 'k8s.io/kubernetes',
  tags: [],
  programs: [
    {
      name: 'kube-apiserver',
      package: 'k8s.io/kubernetes/cmd/kube-apiserver',
      // Without these the server thinks it is of no release, and clients are told of a v0.0.0.
      strings: [
        `${VERSION_STRINGS}.gitVersion=v1.36.3`,
        `${VERSION_STRINGS}.gitMajor=1`,
        `${VERSION_STRINGS}.gitMinor=36`,
      ],
    },
  ],
  files: [],
  minutes: 5,
};

/** Its store, at the version that Kubernetes itself is built with. */
export const etcdModule: GoModule = {
  name: 'etcd',
  folder: 'kubernetes',
  versionOf: 'go.etcd.io/etcd/server/v3',
  tags: [],
  programs: [{ name: 'etcd', package: 'go.etcd.io/etcd/server/v3' }],
  files: [],
  minutes: 1,
};
