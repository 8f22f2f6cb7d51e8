import { entry } from '../../core/audit/fixtures.js';
import { createSqliteAuditLog } from './sqlite.js';

/**
 * A process that appends batches of three: `appender.fixture.ts FILE NAME BATCHES`. It says which batch it begins, and
 * which the audit has confirmed.
 */
const [file = '', name = '', batches = '0'] = process.argv.slice(2);
const log = createSqliteAuditLog(file, { waitMs: 30_000 });
for (let batch = 0; batch < Number(batches); batch += 1) {
  const entries = [0, 1, 2].map((i) => entry(batch * 3 + i, { key: `${name}/${batch}/${i}` }));
  await log.append('eu', entries);
  process.stdout.write(`${batch}\n`);
}
await log.close();
