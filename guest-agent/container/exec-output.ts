import type { Duplex, Writable } from 'node:stream';
import { stdioPaths } from '../folders.ts';
import { type Capture, captureFifo } from '../stdio/capture.ts';
import { frame, type OutputStream, STDERR, STDOUT } from '../stdio/frame.ts';
import { openInput } from '../stdio/input.ts';
import { openTerminalStreams } from '../stdio/terminal.ts';

/** The agent's ends of an exec's FIFOs. */
export interface ExecOutput {
  /** Descriptor of its terminal's other end. */
  terminal?: number;
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

/** The same for a process with a terminal, whose other end is `fd`. */
export function openExecTerminal(fd: number, stdin: boolean, stream: Duplex): ExecOutput {
  const { capture, input } = openTerminalStreams(fd, (chunk) => {
    if (stream.writable && !stream.write(frame(STDOUT, chunk))) capture.pause();
  });
  capture.pause();
  return {
    terminal: fd,
    begin() {
      stream.on('drain', capture.resume).on('close', capture.resume);
      if (stdin) stream.pipe(input, { end: false });
      else stream.resume();
      capture.resume();
    },
    finish() {
      capture.finish();
      stream.unpipe();
    },
  };
}

export function dropExecTerminal(fd: number): ExecOutput {
  const { capture } = openTerminalStreams(fd, () => {});
  return { terminal: fd, begin() {}, finish: () => capture.finish() };
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
