import { InfluxDB } from '@influxdata/influxdb-client';
import type { Bucket, Task } from '@influxdata/influxdb-client-apis';
import { BucketsAPI, OrgsAPI, TasksAPI } from '@influxdata/influxdb-client-apis';
import type { FoundBucket, FoundSetup, SetupAction, WantedSetup } from './setup.js';
import { taskNameOf } from './setup.js';

/** Buckets and tasks of one organisation, by a token that may change them. */
export interface SetupServer {
  /** Throws with the server's words. */
  find(wanted: WantedSetup): Promise<FoundSetup>;
  apply(action: SetupAction): Promise<void>;
}

/** Throws when the organisation does not exist: to found one is its owner's business. */
export async function openSetupServer(target: { url: string; org: string; token: string }): Promise<SetupServer> {
  const client = new InfluxDB({ url: target.url, token: target.token });
  const [buckets, tasks] = [new BucketsAPI(client), new TasksAPI(client)];
  const found = await new OrgsAPI(client).getOrgs({ org: target.org });
  const orgID = found.orgs?.[0]?.id;
  if (orgID === undefined) throw new Error(`the organisation ${target.org} does not exist at ${target.url}`);

  const findBucket = async (name: string): Promise<FoundBucket | undefined> => {
    // Asked for by name, one that is not there is an error that no other problem can be told from.
    for (let offset = 0; ; offset += 100) {
      const page: readonly Bucket[] = (await buckets.getBuckets({ orgID, limit: 100, offset })).buckets ?? [];
      const bucket = page.find((one) => one.name === name);
      if (bucket !== undefined)
        return { id: bucket.id ?? '', keepSeconds: bucket.retentionRules[0]?.everySeconds ?? 0 };
      if (page.length < 100) return undefined;
    }
  };
  const findTask = async (name: string): Promise<Task | undefined> =>
    (await tasks.getTasks({ orgID, name, limit: 100 })).tasks?.find((one) => one.name === name) as Task | undefined;
  const rules = (keepSeconds: number): { type: 'expire'; everySeconds: number }[] => [
    { type: 'expire', everySeconds: keepSeconds },
  ];

  return {
    async find(wanted) {
      const [bucket, rollup] = [await findBucket(wanted.bucket), await findBucket(wanted.rollupBucket)];
      const task = await findTask(taskNameOf(wanted.bucket));
      return {
        ...(bucket === undefined ? {} : { bucket }),
        ...(rollup === undefined ? {} : { rollup }),
        ...(task === undefined ? {} : { task: { id: task.id, flux: task.flux, active: task.status === 'active' } }),
      };
    },
    async apply(action) {
      switch (action.do) {
        case 'create-bucket':
          await buckets.postBuckets({ body: { orgID, name: action.name, retentionRules: rules(action.keepSeconds) } });
          return;
        case 'set-retention':
          await buckets.patchBucketsID({ bucketID: action.id, body: { retentionRules: rules(action.keepSeconds) } });
          return;
        case 'create-task':
          await tasks.postTasks({ body: { orgID, flux: action.flux, status: 'active' } });
          return;
        case 'update-task':
          await tasks.patchTasksID({ taskID: action.id, body: { flux: action.flux, status: 'active' } });
          return;
      }
    },
  };
}
