import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Http2Server } from 'node:http2';
import { openChanges } from './changes.ts';
import type { Clock } from './clock.ts';
import { dispatchExit, dispatchStart, loadState, reconcile } from './container/reconcile.ts';
import { report } from './errors.ts';
import { agentMarker, agentSocket, type Folders, layersFolder } from './folders.ts';
import { type LayerMounts, openLayers } from './layers.ts';
import type { Kernel, Runtime } from './runtime.ts';
import { createApiServer } from './server.ts';
import { connectZygote } from './zygote-client.ts';

export interface Agent {
  server: Http2Server;
  /** Another agent ran in this boot before. */
  restarted: boolean;
  close(): void;
}

/** Takes up what an earlier agent left, then serves the API on the unix socket. */
export async function openAgent(options: {
  folders: Folders;
  clock: Clock;
  kernel: Kernel & LayerMounts;
  zygoteSocket: string;
  endAgent: () => void;
}): Promise<Agent> {
  const { folders, clock, kernel, endAgent } = options;
  mkdirSync(folders.state, { recursive: true, mode: 0o700 });
  mkdirSync(folders.runtime, { recursive: true, mode: 0o700 });
  const restarted = existsSync(agentMarker(folders));
  writeFileSync(agentMarker(folders), '');

  const ready = Promise.withResolvers<void>();
  const zygote = connectZygote(options.zygoteSocket, clock, {
    processes: (processes) =>
      void reconcile(runtime, processes).then(ready.resolve, (error: unknown) => report('reconcile', error)),
    started: (id, pid) => dispatchStart(runtime, id, pid),
    exited: (id, exit) => dispatchExit(runtime, id, exit),
  });
  const layers = openLayers(layersFolder(folders), kernel);
  const changes = openChanges();
  const known = { containers: new Map(), execs: new Map() };
  const runtime: Runtime = { folders, clock, kernel, zygote, layers, changes, endAgent, ...known };
  loadState(runtime);
  await ready.promise;

  const server = createApiServer(runtime);
  rmSync(agentSocket(folders), { force: true });
  server.listen(agentSocket(folders));
  await once(server, 'listening');
  chmodSync(agentSocket(folders), 0o600);
  return {
    server,
    restarted,
    close() {
      zygote.close();
      server.close();
    },
  };
}
