import { ReadStream } from 'node:tty';
import { SOCK_CLOEXEC } from '../sys/constants.ts';
import { linux as sys } from '../sys/sys.ts';
import { setSize } from '../zygote/terminal.ts';

/** This program's own terminal as that of a container, where nobody else takes it. */
export function relayTerminal(): { socket: number; untilEnd(pid: number): Promise<number> } {
  const [socket, ours] = sys.socketPair(SOCK_CLOEXEC);
  return {
    socket,
    untilEnd(pid) {
      sys.close(socket);
      const fd = sys.receiveDescriptor(ours);
      sys.close(ours);
      if (fd === null) throw new Error('receive the terminal: none came');
      return relay(fd, pid);
    },
  };
}

async function relay(fd: number, pid: number): Promise<number> {
  const { stdin, stdout } = process;
  const resize = () => setSize(sys, fd, { rows: stdout.rows, columns: stdout.columns });
  if (stdout.isTTY) resize();
  const terminal = new ReadStream(fd);
  const closed = Promise.withResolvers<undefined>();
  terminal.on('error', () => closed.resolve(undefined)); // EIO: nobody has the other end any more.
  terminal.on('close', () => closed.resolve(undefined));
  terminal.pipe(stdout, { end: false });
  stdin.pipe(terminal);
  if (stdin.isTTY) stdin.setRawMode(true);
  stdout.on('resize', resize);
  await closed.promise;
  if (stdin.isTTY) stdin.setRawMode(false);
  stdin.destroy();
  for (;;) {
    const exit = sys.wait(pid);
    if (exit !== null) return exit.code ?? 128 + (exit.signal ?? 0);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
