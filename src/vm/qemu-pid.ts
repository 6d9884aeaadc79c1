import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** The process of a running domain. Throws where there is none, or this user may not know. */
export async function qemuPid(domain: string, uri: string): Promise<number> {
  return Number(await readFile(pidFile(domain, uri), 'utf8'));
}

/** Where libvirt's QEMU driver keeps process ids: the system's, and that of a user's session. */
function pidFile(domain: string, uri: string): string {
  const session = path.join(
    process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${process.getuid?.() ?? 0}`,
    'libvirt/qemu/run',
  );
  return path.join(new URL(uri).pathname === '/session' ? session : '/run/libvirt/qemu', `${domain}.pid`);
}
