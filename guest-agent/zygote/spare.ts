import { CLONE_NEWPID, O_CLOEXEC } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { finishContainer } from './init.ts';
import { type Launched, launch } from './launch.ts';
import { prepareSandbox } from './prepare.ts';
import type { ContainerInit, Outputs, Sandbox } from './protocol.ts';
import { STATUS_FD } from './report.ts';
import { openOutputs } from './stdio.ts';

/** A process that has its sandbox and waits to be told which container it is. It ends when nobody can tell it any more. */
export interface Spare extends Launched {
  /** What a container must have to be this one: sandboxKey. */
  key: string;
  /** End of a pipe that takes a ContainerInit as one line of JSON. */
  orders: number;
}

/** @param rehearse what the process runs before it waits, so that it need not be loaded later */
export function launchSpare(
  sys: Sys,
  cgroup: string,
  { sandbox, outputs }: { sandbox: Sandbox; outputs: Outputs },
  ignoredSignals: number[],
  rehearse: () => void,
): Spare {
  const [source, orders] = sys.pipe2(O_CLOEXEC);
  try {
    const launched = launch(sys, CLONE_NEWPID, cgroup, () => {
      keepOnly(sys, source);
      const prepared = { outputs: openOutputs(sys, outputs), wiring: prepareSandbox(sys, sandbox) };
      rehearse();
      const init = readOrders(sys);
      if (init !== undefined) finishContainer(sys, init, prepared, ignoredSignals);
    });
    return { ...launched, key: sandboxKey(sandbox, outputs), orders };
  } catch (error) {
    sys.close(orders);
    throw error;
  } finally {
    sys.close(source);
  }
}

/** @returns whether the spare has become the container; otherwise it ends */
export function orderSpare(sys: Sys, { key, orders }: Spare, init: ContainerInit): boolean {
  try {
    // A terminal comes through a socket, and this process was there before it.
    if (!('stdout' in init.stdio) || key !== sandboxKey(init.sandbox, init.stdio)) return false;
    const line = Buffer.from(`${JSON.stringify(init)}\n`);
    if (line.length > ORDERS_LIMIT) return false;
    return sys.write(orders, line) === line.length;
  } finally {
    sys.close(orders);
  }
}

const sandboxKey = (sandbox: Sandbox, { stdout, stderr }: Outputs) => JSON.stringify([sandbox, stdout, stderr]);

/**
 * What the zygote holds open for others would stay open for as long as this process waits. Standard streams and the report
 * stay, and `source`, under a number that Node has had open from the start for itself.
 */
function keepOnly(sys: Sys, source: number): void {
  if (source !== ORDERS_FD) sys.dup3(source, ORDERS_FD, O_CLOEXEC);
  sys.closeRange(ORDERS_FD + 1, ALL_DESCRIPTORS);
}

function readOrders(sys: Sys): ContainerInit | undefined {
  const buffer = Buffer.alloc(ORDERS_LIMIT);
  let length = 0;
  while (buffer[length - 1] !== NEWLINE) {
    const count = sys.read(ORDERS_FD, buffer.subarray(length)) ?? 0;
    if (count === 0) return undefined;
    length += count;
  }
  return JSON.parse(buffer.toString('utf8', 0, length)) as ContainerInit;
}

const ORDERS_FD = STATUS_FD + 1;
/** What an empty pipe takes at once, so that the zygote never waits: pipe(7), "Pipe capacity". */
const ORDERS_LIMIT = 64 * 1024;
const NEWLINE = 0x0a;
/** close_range(2): the highest number there can be. */
const ALL_DESCRIPTORS = 0xffffffff;
