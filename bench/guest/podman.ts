import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';

/**
 * Makes a command `podman` in PODMAN_BIN, which finds its own parts on the peers' disk: frame/peers-part.ts, PODMAN.
 *
 * @param runtime path of the OCI runtime that it drives
 */
export function preparePodman(peers: string, runtime: string): void {
  const bin = PODMAN_BIN;
  mkdirSync(bin, { recursive: true });
  const program = (name: string, command: string) => {
    writeFileSync(`${bin}/${name}`, `#!/bin/sh\nexport LD_LIBRARY_PATH=${peers}/lib\nexec ${command} "$@"\n`);
    chmodSync(`${bin}/${name}`, 0o755);
  };
  program('conmon', `${peers}/bin/conmon`);
  program('crun', `${peers}/bin/crun`);
  program('podman', `${peers}/bin/podman --runtime ${runtime}`);
  writeFileSync(
    `${SETTINGS}/containers.conf`,
    `[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nconmon_path = ["${bin}/conmon"]\nhelper_binaries_dir = ["${peers}/bin"]\n[network]\nnetwork_backend = "netavark"\nnetwork_config_dir = "${SETTINGS}/networks"\n`,
  );
  writeFileSync(
    `${SETTINGS}/storage.conf`,
    `[storage]\ndriver = "vfs"\nrunroot = "${SETTINGS}/run"\ngraphroot = "/var/lib/nest/podman"\n`,
  );
}

const SETTINGS = '/run/podman-test';
const PODMAN_BIN = `${SETTINGS}/bin`;
export const PODMAN = `${PODMAN_BIN}/podman`;
/** Podman's own choice of a runtime. */
export const CRUN = `${PODMAN_BIN}/crun`;

export const podmanEnvironment = {
  PATH: `/usr/bin:${PODMAN_BIN}`,
  HOME: '/tmp',
  CONTAINERS_CONF: `${SETTINGS}/containers.conf`,
  CONTAINERS_STORAGE_CONF: `${SETTINGS}/storage.conf`,
};
