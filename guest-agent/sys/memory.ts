import { closeSync, constants, ftruncateSync, openSync } from 'node:fs';
import { check } from './check.ts';
import { lastErrno, type Libc, memoryAt } from './ffi.ts';
import { SystemError } from './system-error.ts';

/** Memory that is a file: what is written to it is in the file when the process is killed. */
export interface MappedFile {
  bytes: Buffer;
  /** The last thing that is done with it: who touches `bytes` afterwards ends the process. */
  unmap(this: void): void;
}

export const memory = (libc: Libc) => ({
  /** Maps a file, which is made where there is none, of `length` bytes: mmap(2). */
  mapFile(path: string, length: number): MappedFile {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      ftruncateSync(fd, length);
      const address = libc.mmap(null, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      if (address === MAP_FAILED) throw new SystemError('mmap', path, lastErrno());
      return {
        bytes: memoryAt(address, length),
        unmap: () => void check(libc.munmap(address, length), 'munmap', path),
      };
    } finally {
      closeSync(fd);
    }
  },
});

/** include/uapi/asm-generic/mman-common.h */
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
