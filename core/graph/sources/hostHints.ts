/** Images of what keeps data, passes messages or watches: no service of the mesh calls on through them. */
const STORES =
  /(^|[/-])(redis|valkey|mongo(db)?|postgres(ql)?|mysql|mariadb|memcached|kafka|rabbitmq|nats|activemq|pulsar|consul|etcd|zookeeper|cassandra|elasticsearch|opensearch|influxdb|clickhouse|minio|vault|jaeger|zipkin|prometheus|grafana|otel|opentelemetry-collector)([:@/-]|$)/i;

/** Variables that hold an address, when the value alone could be any word. */
const ADDRESS_NAME = /(ADDR|HOST|URL|URI|ENDPOINT|SERVICE|SVC|SERVER|TARGET|UPSTREAM|BACKEND)/i;
/** A host with what may stand around it in a URL, a list or an option. */
const HOST =
  /(?<before>^|:\/\/|[\s,;=@'"([])(?<host>[a-zA-Z0-9](?:[-\w]*[a-zA-Z0-9])?)(?<domain>(?:\.[a-z0-9][-a-z0-9]*)*)(?<port>:\d{1,5})?(?=$|[\s,;/'"?)\]])/g;
const MAX_VALUE_LENGTH = 10_000;

export interface HostMention {
  host: string;
  /** What follows the name: `.shop.svc.cluster.local`, say, or nothing. */
  domain: string;
}

export function isStore(image: unknown): boolean {
  return typeof image === 'string' && STORES.test(image);
}

/**
 * Hosts that a value names: those with a scheme, a port or a cluster's domain in any value, a bare word only where the
 * name of the variable says that it is an address. `${X:-checkout}` counts by its default; who logs in is no host.
 */
export function hostsIn(name: string, value: string): HostMention[] {
  const plain = value
    .slice(0, MAX_VALUE_LENGTH)
    .replace(/\$\{\w+:?-([^}]*)\}/g, '$1')
    .replace(/:\/\/[^/@\s]*@/g, '://');
  const isAddress = ADDRESS_NAME.test(name);
  return [...plain.matchAll(HOST)].flatMap(({ groups = {} }): HostMention[] => {
    const { before = '', host = '', domain = '', port } = groups;
    const isSure = port !== undefined || before === '://' || /^\.[-a-z0-9]+\.svc\b/.test(domain);
    return isSure || isAddress ? [{ host, domain }] : [];
  });
}
