import type { Duplex, Writable } from 'node:stream';
import { stdioPaths } from '../folders.ts';
import { type Capture, captureFifo } from '../stdio/capture.ts';
import { frame, type OutputStream, STDERR, STDOUT } from '../stdio/frame.ts';
import { openInput } from '../stdio/input.ts';

/** The agent's ends of an exec's FIFOs. */
export interface ExecOutput {
  /** Lets bytes flow, in both directions. */
  begin(): void;
  /** The process is gone: hands over what it wrote last. */
  finish(): void;
}

/**
 * `stream` is the process's stdin and gets its output as frames. The FIFOs are read no faster than it is; once it is
 * closed, they are read and dropped, so that the process never waits for a reader that has gone.
 */
export function openExecOutput(folder: string, stdin: boolean, stream: Duplex): ExecOutput {
  const paths = stdioPaths(folder);
  const forward = (from: OutputStream) => (chunk: Buffer) => {
    if (stream.writable && !stream.write(frame(from, chunk))) pause();
  };
  const captures = [captureFifo(paths.stdout, forward(STDOUT)), captureFifo(paths.stderr, forward(STDERR))];
  const input: Writable | undefined = stdin ? openInput(paths.stdin) : undefined;
  const pause = () => each(captures, 'pause');
  const resume = () => each(captures, 'resume');
  pause();
  return {
    begin() {
      stream.on('drain', resume).on('close', resume);
      if (input === undefined) stream.resume();
      else stream.pipe(input);
      resume();
    },
    finish() {
      each(captures, 'finish');
      stream.unpipe();
      input?.destroy();
    },
  };
}

/** For a process that outlived the agent that started it: nobody is left to read its output. */
export function dropExecOutput(folder: string): ExecOutput {
  const paths = stdioPaths(folder);
  const captures = [paths.stdout, paths.stderr].map((path) => captureFifo(path, () => {}));
  return { begin() {}, finish: () => each(captures, 'finish') };
}

const each = (captures: Capture[], action: keyof Capture) => {
  for (const capture of captures) capture[action]();
};
