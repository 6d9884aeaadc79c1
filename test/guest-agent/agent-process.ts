import { openAgent } from '../../guest-agent/agent.ts';
import { systemClock } from '../../guest-agent/clock.ts';
import { fakeKernel } from './fake-kernel.ts';
import { fakeMachine } from './fake-machine.ts';

/** An agent that a test can kill: `node agent-process.ts STATE RUNTIME FOLDER ZYGOTE`. */
const [state = '', runtime = '', folder = '', zygoteSocket = ''] = process.argv.slice(2);
const kernel = fakeKernel(folder);
const endAgent = () => process.kill(process.pid, 'SIGKILL');
const agent = await openAgent({
  folders: { state, runtime },
  clock: systemClock,
  kernel,
  machine: fakeMachine(),
  zygoteSocket,
  slots: 2,
  endAgent,
});
process.send?.({ restarted: agent.restarted });
