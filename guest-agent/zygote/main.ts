import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { STAGE, STAGED } from '../rootfs/kernel-mounts.ts';
import { adjustOomScore, allowOpenFiles, KEPT_ALIVE, OPEN_FILES } from '../security/resource-limits.ts';
import { PR_SET_DUMPABLE } from '../sys/constants.ts';
import { linux } from '../sys/sys.ts';
import { ZYGOTE_SOCKET } from './protocol.ts';
import { serve } from './serve.ts';
import { warmUp } from './warm-up.ts';

/**
 * The zygote: parent of every container. Node's event loop is not used, so that no thread but this one does anything and
 * a fork of it is whole. To be started with `--single-threaded --v8-pool-size=0 --disable-sigusr1`.
 *
 * Its children are not dumpable until execve: a container that they have joined cannot look into them. See ptrace(2).
 */
warmUp();
linux.prctl(PR_SET_DUMPABLE, 0);
adjustOomScore(linux, KEPT_ALIVE);
allowOpenFiles(linux, { soft: OPEN_FILES.hard, hard: OPEN_FILES.hard }); // Each child takes three.
const socket = process.argv[2] ?? ZYGOTE_SOCKET;
mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
for (const name of STAGED) mkdirSync(join(STAGE, name), { recursive: true });
const turn = serve(linux, socket, ignoredSignals());
for (;;) turn();

/** Numbers of the signals that this process ignores: proc_pid_status(5), SigIgn. */
function ignoredSignals(): number[] {
  const mask = BigInt(`0x${/^SigIgn:\t([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`);
  return Array.from({ length: 64 }, (_, index) => index + 1).filter((signal) => (mask >> BigInt(signal - 1)) & 1n);
}
