import { readdir, readFile } from 'node:fs/promises';

/** The libvirt whose guests this user may boot. */
export const TEST_URI = process.getuid?.() === 0 ? 'qemu:///system' : 'qemu:///session';

/** Process id of the QEMU that runs the domain. */
export async function qemuPid(domain: string): Promise<number> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (commandLine.includes(`\0guest=${domain},`)) return Number(pid);
  }
  throw new Error(`no QEMU runs domain ${domain}`);
}
