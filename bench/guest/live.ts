import type { ContainerState } from '../../guest-agent/api.ts';
import type { Agent } from './agent-client.ts';
import { containerSpec } from './agent-requests.ts';

/** The whole life of a container: create, start, exit, delete. */
export async function live({ ask }: Agent): Promise<void> {
  const spec = containerSpec(['/bin/true']);
  await ask('POST', '/v1/containers', spec);
  await ask('POST', `/v1/containers/${spec.id}/start`);
  const state = (await ask('POST', `/v1/containers/${spec.id}/wait`)) as ContainerState;
  if (state.exitCode !== 0) throw new Error(`container ended with ${state.exitCode}: ${state.error}`);
  await ask('DELETE', `/v1/containers/${spec.id}`);
}
