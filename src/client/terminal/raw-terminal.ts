import type { Duplex } from 'node:stream';
import { NestError } from '../../errors.ts';
import { detachFilter } from './detach-keys.ts';

/** Docker's words, which people search for. @throws NestError `invalid-input` */
export function checkTerminal(interactive: boolean, tty: boolean): void {
  if (!interactive || !tty || process.stdin.isTTY) return;
  throw new NestError('invalid-input', 'the input device is not a TTY', {
    hint: 'leave -t out: -i alone passes what a pipe or a file gives',
  });
}

/** Rows and columns of this process's terminal; undefined when its output is none. */
export function terminalSize(): { rows: number; columns: number } | undefined {
  const { isTTY, rows, columns } = process.stdout;
  return isTTY ? { rows, columns } : undefined;
}

/**
 * Joins this process's terminal with a container's: every key goes there as it is, Ctrl+C and Ctrl+D too, and what it shows
 * is shown as it is. However this process ends, its terminal is as it was.
 *
 * @param detachable ctrl-p ctrl-q leaves it running
 * @param resize told of each size, the first one at once; it may fail while the container ends
 */
export async function joinTerminal(
  stream: Duplex,
  {
    interactive,
    detachable = true,
    resize,
  }: {
    interactive: boolean;
    detachable?: boolean;
    resize: (size: { rows: number; columns: number }) => Promise<void>;
  },
): Promise<'ended' | 'detached'> {
  using undo = new DisposableStack();
  const end = Promise.withResolvers<'ended' | 'detached'>();
  stream.once('close', () => end.resolve('ended')).once('end', () => end.resolve('ended'));
  stream.on('error', () => end.resolve('ended'));
  stream.pipe(process.stdout, { end: false });
  if (interactive) {
    const { stdin } = process;
    const restore = () => stdin.isTTY && stdin.setRawMode(false);
    undo.defer(restore);
    process.once('exit', restore);
    if (stdin.isTTY) stdin.setRawMode(true);
    const filter = detachable ? detachFilter(() => end.resolve('detached')) : (keys: Buffer) => keys;
    const send = (keys: Buffer) => {
      const rest = filter(keys);
      if (rest.length > 0) stream.write(rest);
    };
    stdin.on('data', send);
    undo.defer(() => stdin.off('data', send).pause());
  }
  const tell = () => {
    const size = terminalSize();
    if (size !== undefined) resize(size).catch(() => undefined); // It has ended; the stream tells.
  };
  process.stdout.on('resize', tell);
  undo.defer(() => process.stdout.off('resize', tell));
  tell();
  const how = await end.promise;
  if (how === 'detached') process.stdout.write('\r\n');
  return how;
}
