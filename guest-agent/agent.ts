import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Http2Server } from 'node:http2';
import { type Changes, openChanges } from './changes.ts';
import type { Clock } from './clock.ts';
import { openSlots } from './container/slots.ts';
import { dispatchExit, dispatchStart, loadState, reconcile } from './container/reconcile.ts';
import { report } from './errors.ts';
import { agentMarker, agentSocket, type Folders, layersFolder, volumesFolder } from './folders.ts';
import { watchHealth } from './health/watch.ts';
import { openSelf, type Self } from './identity.ts';
import { type LayerMounts, openLayers } from './layers.ts';
import type { Machine } from './machine.ts';
import { makeBase } from './network/etc-files.ts';
import { openNetworks } from './network/networks.ts';
import type { Kernel, Runtime } from './runtime.ts';
import { createApiServer } from './server.ts';
import { openVolumes, type VolumeMounts } from './volumes.ts';
import { connectZygote } from './zygote-client.ts';
import type { ZygoteProcess } from './zygote/protocol.ts';

export interface Agent {
  server: Http2Server;
  changes: Changes;
  self: Self;
  /** Another agent ran in this boot before. */
  restarted: boolean;
  close(): void;
}

/** Serves the API on the unix socket. Once the guest has an identity the agent takes up what is on its disk. */
export async function openAgent(options: {
  folders: Folders;
  clock: Clock;
  kernel: Kernel & LayerMounts & VolumeMounts;
  machine: Machine;
  zygoteSocket: string;
  /** How many are kept ready for containers: container/slots.ts. */
  slots: number;
  endAgent: () => void;
}): Promise<Agent> {
  const { folders, clock, kernel, machine, endAgent } = options;
  mkdirSync(folders.runtime, { recursive: true, mode: 0o700 });
  const restarted = existsSync(agentMarker(folders));
  writeFileSync(agentMarker(folders), '');
  makeBase(folders);

  const ready = Promise.withResolvers<void>();
  let told: ZygoteProcess[] = [];
  const takeUp = () => reconcile(runtime, told).catch((error: unknown) => report('reconcile', error));
  const zygote = connectZygote(options.zygoteSocket, clock, {
    processes(processes) {
      told = processes;
      slots.renew();
      if (self.known) void takeUp().then(ready.resolve);
      else ready.resolve();
    },
    started: (process) => dispatchStart(runtime, process),
    exited: (id, exit) => dispatchExit(runtime, id, exit),
  });
  const layers = openLayers(layersFolder(folders), kernel);
  const volumes = openVolumes(volumesFolder(folders), kernel);
  const slots = openSlots(() => runtime, options.slots);
  const networks = openNetworks(() => runtime);
  const changes = openChanges();
  const known = { containers: new Map(), execs: new Map() };
  const self = openSelf(folders, machine, async () => {
    loadState(runtime);
    await takeUp();
  });
  const runtime: Runtime = {
    folders,
    clock,
    kernel,
    zygote,
    slots,
    layers,
    volumes,
    networks,
    changes,
    endAgent,
    machine,
    self,
    ...known,
  };
  if (self.known) loadState(runtime);
  await ready.promise;
  watchHealth(runtime);

  const server = createApiServer(runtime);
  rmSync(agentSocket(folders), { force: true });
  server.listen(agentSocket(folders));
  await once(server, 'listening');
  chmodSync(agentSocket(folders), 0o600);
  return {
    server,
    changes,
    self,
    restarted,
    close() {
      slots.close();
      networks.close();
      zygote.close();
      server.close();
    },
  };
}
