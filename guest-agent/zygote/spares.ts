import { EPOLLIN } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import type { Loop } from './loop.ts';
import { closeOutputs, type Held, holdOutputs } from './outputs.ts';
import type { ContainerInit, Outputs, Sandbox } from './protocol.ts';
import { launchSpare, orderSpare, type Spare } from './spare.ts';
import { rehearse } from './warm-up.ts';

/** The processes that wait for a container, by cgroup. */
export interface Spares {
  prepare(cgroup: string, sandbox: Sandbox, outputs: Outputs): void;
  /** The process that waits in this cgroup is the container from now on; undefined when there is none that can be. */
  take(init: ContainerInit): Held | undefined;
  /** Those that wait end. */
  dismiss(): void;
}

export function trackSpares(sys: Sys, loop: Loop, ignoredSignals: number[]): Spares {
  const spares = new Map<string, Spare & Held>();

  const reap = (cgroup: string, spare: Spare & Held) => {
    if (sys.wait(spare.pid) === null) return;
    loop.unwatch(spare.pidfd);
    for (const fd of [spare.pidfd, spare.status]) sys.close(fd);
    closeOutputs(sys, spare);
    if (spares.get(cgroup) !== spare) return;
    sys.close(spare.orders);
    spares.delete(cgroup);
  };

  return {
    prepare(cgroup, sandbox, outputs) {
      if (spares.has(cgroup)) return;
      const made = { sandbox, outputs };
      const spare = holdOutputs(sys, outputs, () => launchSpare(sys, cgroup, made, ignoredSignals, rehearse));
      spares.set(cgroup, spare);
      loop.watch(spare.pidfd, EPOLLIN, () => reap(cgroup, spare));
    },

    take(init) {
      const spare = spares.get(init.cgroup);
      if (spare === undefined) return undefined;
      spares.delete(init.cgroup);
      if (!orderSpare(sys, spare, init)) return undefined;
      loop.unwatch(spare.pidfd);
      return spare;
    },

    dismiss() {
      for (const { orders } of spares.values()) sys.close(orders);
      spares.clear();
    },
  };
}
