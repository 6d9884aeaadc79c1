import { readdir, readFile, readlink } from 'node:fs/promises';

/** The libvirt whose guests this user may boot. */
export const TEST_URI = process.getuid?.() === 0 ? 'qemu:///system' : 'qemu:///session';

/** Process id of the QEMU that runs the domain. */
export async function qemuPid(domain: string): Promise<number> {
  const [pid] = await qemusWith(`\0guest=${domain},`);
  if (pid === undefined) throw new Error(`no QEMU runs domain ${domain}`);
  return pid;
}

/** Process ids of QEMUs whose command line has this in it: a domain's name, a folder of files that are open. */
export async function qemusWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (/^[^\0]*qemu-system/.test(commandLine) && commandLine.includes(text)) found.push(Number(pid));
  }
  return found;
}

/** Files in `folder` that a process has open. */
export async function openFiles(pid: number, folder: string): Promise<string[]> {
  const links = (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''));
  return (await Promise.all(links)).filter((file) => file.startsWith(`${folder}/`));
}
