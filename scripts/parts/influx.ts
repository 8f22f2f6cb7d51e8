import type { GoModule } from './goModule.js';

/**
 * InfluxDB's server, OSS 2.7. Its query language is a library in Rust, which the Go module of that language carries
 * with a Cargo.lock: so go.sum pins its sources, and the lock those that it uses.
 */
export const influxModule: GoModule = {
  name: 'influxdb',
  folder: 'influx',
  versionOf: 'github.com/influxdata/influxdb/v2',
  tags: ['sqlite_foreign_keys', 'sqlite_json'],
  programs: [
    {
      name: 'influxd',
      package: 'github.com/influxdata/influxdb/v2/cmd/influxd',
      strings: ['main.version=2.7.12', 'main.commit=module'],
      check: ['version'],
    },
  ],
  files: [],
  rust: {
    module: 'github.com/influxdata/flux',
    workspace: 'libflux',
    package: 'flux',
    library: 'flux',
    features: ['cffi'],
    headers: 'libflux/include',
  },
  minutes: 4,
  byHand:
    'install a Rust toolchain of 1.72 or newer (cargo and rustc) and a C compiler so that "cargo" and "cc" are on PATH, and see that the registries of Go modules and crates can be reached; or set PSMG_INFLUXD to the path of an influxd 2.7. Only "npm run test:parts" needs it',
};
