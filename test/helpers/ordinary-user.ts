import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Surroundings } from './nest.ts';

/** A user without rights or groups, whose libvirt is qemu:///session. */
export interface OrdinaryUser extends Surroundings {
  env: Record<string, string>;
  /** Ends the daemons that libvirt started for this user. */
  close(): Promise<void>;
}

/**
 * `nobody`, with a home and a runtime folder of its own. It keeps the right to read every file: where the tests lie may be
 * closed to it. Needs root.
 */
export async function ordinaryUser(): Promise<OrdinaryUser> {
  const home = await mkdtemp(path.join(tmpdir(), 'nest-home-'));
  await chown(home, NOBODY, NOBODY);
  const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  return {
    through: ['setpriv', ...ids, '--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'],
    owner: NOBODY,
    env: {
      HOME: home,
      XDG_RUNTIME_DIR: home,
      XDG_CONFIG_HOME: path.join(home, 'config'),
      XDG_CACHE_HOME: path.join(home, 'cache'),
      XDG_DATA_HOME: path.join(home, 'share'),
    },
    async close() {
      for (const daemon of ['libvirtd', 'virtlogd']) {
        const pid = await readFile(path.join(home, 'libvirt', `${daemon}.pid`), 'utf8').catch(() => undefined);
        if (pid !== undefined) process.kill(Number(pid), 'SIGTERM');
      }
      await rm(home, { recursive: true, force: true });
    },
  };
}

const NOBODY = 65534;
