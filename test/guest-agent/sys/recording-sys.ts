import { S_IFCHR } from '../../../guest-agent/sys/constants.ts';
import type { Sys } from '../../../guest-agent/sys/sys.ts';
import { SystemError } from '../../../guest-agent/sys/system-error.ts';

/** A system call and its arguments, e.g. `chdir /layers`. Buffers are left out. */
export type Recording = string[];

/** Linux that records calls instead of making them. `answers` take the place of calls that succeed. */
export function recordingSys(answers: Partial<Sys> = {}): { sys: Sys; calls: Recording } {
  const calls: Recording = [];
  let nextFd = 10;
  const defaults: Partial<Sys> = {
    open: () => nextFd++,
    openat2: () => nextFd++,
    socket: () => nextFd++,
    accept: () => nextFd++,
    epollCreate: () => nextFd++,
    cloneMount: () => nextFd++,
    pipe2: () => [nextFd++, nextFd++],
    fork: () => ({ pid: 100, pidfd: nextFd++ }),
    fstat: () => ({ mode: S_IFCHR, device: 0x103 }),
    getcwd: () => '/',
    wait: () => null,
    write: (_fd, bytes) => bytes.length,
    dropFromBoundingSet: (capability) => capability <= 40,
    epollWait: () => [],
  };
  const sys = new Proxy({} as Sys, {
    get:
      (_, name: string) =>
      (...values: never[]): unknown => {
        calls.push([name, ...values.flatMap(show)].join(' '));
        const answer = Reflect.get({ ...defaults, ...answers }, name) as ((...args: never[]) => unknown) | undefined;
        return answer === undefined ? 0 : answer(...values);
      },
  });
  return { sys, calls };
}

function show(value: string | number | bigint | number[] | string[] | Uint8Array | null): string[] {
  if (value instanceof Uint8Array) return [];
  if (value === null) return ['-'];
  if (Array.isArray(value)) return [value.join()];
  return [String(value)];
}

/** An answer that fails. */
export const failing = (errno: keyof typeof NUMBERS) => (): never => {
  throw new SystemError('call', 'object', NUMBERS[errno]);
};

const NUMBERS = { EPERM: 1, ENOENT: 2, ENOEXEC: 8, EACCES: 13, EEXIST: 17, ENOTDIR: 20, ELOOP: 40 };
