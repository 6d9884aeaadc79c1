import { fstatSync } from 'node:fs';
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { unless } from '../sys/system-error.ts';

/**
 * Text of a file of a container's root, links followed as the container would; '' when there is none or it is no plain
 * file. All of it is the container's to choose: nothing outside `root` is reached, no device is opened, no FIFO waited for,
 * and no more than FILE_LIMIT bytes are read.
 */
export function readInRoot(sys: Sys, root: string, path: string): string {
  const folder = sys.open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  try {
    const found = unless(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'], () =>
      sys.openat2(folder, path, O_PATH | O_CLOEXEC, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS),
    );
    if (found === undefined) return '';
    try {
      return fstatSync(found).isFile() ? readStart(sys, found) : '';
    } finally {
      sys.close(found);
    }
  } finally {
    sys.close(folder);
  }
}

function readStart(sys: Sys, found: number): string {
  const file = sys.open(`/proc/self/fd/${found}`, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  try {
    const bytes = Buffer.alloc(FILE_LIMIT);
    let length = 0;
    for (let read: number | null = -1; read !== 0 && read !== null && length < FILE_LIMIT; length += read ?? 0)
      read = sys.read(file, bytes.subarray(length));
    return bytes.toString('utf8', 0, length);
  } finally {
    sys.close(file);
  }
}

const FILE_LIMIT = 1024 * 1024;
