/** Where a server for tests is, and what opens it. */
interface Server {
  url: string;
  token: string;
  org: string;
}

export async function api(server: Server, method: string, resource: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${server.url}/api/v2/${resource}`, {
    method,
    headers: { authorization: `Token ${server.token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${resource}: ${answer.status} ${text}`);
  return text === '' ? null : (JSON.parse(text) as unknown);
}

/** Its id. `keepSeconds` 0: for ever. */
export async function createBucket(server: Server, name: string, keepSeconds = 0): Promise<string> {
  const { orgs } = (await api(server, 'GET', `orgs?org=${encodeURIComponent(server.org)}`)) as {
    orgs: { id: string }[];
  };
  const rules = keepSeconds === 0 ? [] : [{ type: 'expire', everySeconds: keepSeconds }];
  const made = await api(server, 'POST', 'buckets', { orgID: orgs[0]?.id, name, retentionRules: rules });
  return (made as { id: string }).id;
}

export async function deleteBucket(server: Server, id: string): Promise<void> {
  await api(server, 'DELETE', `buckets/${id}`);
}
