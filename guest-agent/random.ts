import { closeSync, openSync, readSync } from 'node:fs';

/**
 * Random bytes from the kernel, in hex. Node's own generator keeps its state in this process, and clones of one template
 * would all go on from the same one; the kernel's is fed anew when a guest gets its identity.
 */
export function randomHex(bytes: number): string {
  const device = openSync('/dev/urandom', 'r');
  try {
    const buffer = Buffer.alloc(bytes);
    readSync(device, buffer);
    return buffer.toString('hex');
  } finally {
    closeSync(device);
  }
}
