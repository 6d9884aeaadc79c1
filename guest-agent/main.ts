import { openAgent } from './agent.ts';
import { TRUNK_PORT } from './api.ts';
import { prepareCgroups } from './cgroup/cgroup.ts';
import { DEFAULT_DEVICES, filterDevices } from './cgroup/devices.ts';
import { systemClock } from './clock.ts';
import { compactWhenQuiet } from './compact.ts';
import { FOLDERS } from './folders.ts';
import { openKernel } from './kernel.ts';
import { openMachine } from './machine.ts';
import { DEFAULT_CAPABILITIES } from './security/capability-names.ts';
import { adjustOomScore, KEPT_ALIVE } from './security/resource-limits.ts';
import { seccompFilter } from './security/seccomp/choose.ts';
import { linux } from './sys/sys.ts';
import { findPort } from './trunk/find-port.ts';
import { openPort } from './trunk/port.ts';
import { serveTrunk } from './trunk/serve.ts';
import { ZYGOTE_SOCKET } from './zygote/protocol.ts';

/** The agent: started by init, which gives V8 its options (docs/decisions/0019), and again whenever it ends. */
process.umask(0o022);
process.chdir('/');
adjustOomScore(linux, KEPT_ALIVE);
filterDevices(linux, prepareCgroups(), DEFAULT_DEVICES, true);
const agent = await openAgent({
  folders: FOLDERS,
  clock: systemClock,
  kernel: openKernel(linux, FOLDERS),
  machine: openMachine(linux),
  zygoteSocket: ZYGOTE_SOCKET,
  slots: 2,
  endAgent: () => process.kill(process.pid, 'SIGKILL'),
});
compactWhenQuiet(agent, systemClock, () => globalThis.gc?.());
// Nobody waits for it: the first start finds its filter compiled.
setImmediate(() => seccompFilter(undefined, DEFAULT_CAPABILITIES));
const port = openPort(linux, await findPort(TRUNK_PORT), `${FOLDERS.runtime}/trunk.${process.pid}`);
await serveTrunk(agent.server, port, agent.restarted);
