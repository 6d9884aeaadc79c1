import { SSH_NETWORK } from '../../libvirt/domain-xml.ts';
import type { GuestRecord } from '../record.ts';
import { iso9660 } from './iso9660.ts';
import type { SshKeys } from './keys.ts';

/**
 * What cloud-init reads when a stock image first boots: who the machine is, its SSH keys and its one network card, which has
 * no router.
 *
 * @see https://cloudinit.readthedocs.io/en/22.4.2/topics/datasources/nocloud.html
 */
export function cloudInitSeed({ uuid, name }: Pick<GuestRecord, 'uuid' | 'name'>, keys: SshKeys): Buffer {
  return iso9660('cidata', {
    'meta-data': JSON.stringify({ 'instance-id': uuid, 'local-hostname': name }),
    'user-data': `#cloud-config\n${JSON.stringify(userData(keys))}`,
    'network-config': JSON.stringify(NETWORK),
  });
}

/** JSON is YAML. */
function userData(keys: SshKeys): unknown {
  return {
    users: [],
    disable_root: false,
    ssh_pwauth: false,
    ssh_authorized_keys: [keys.user.public],
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: keys.host.private, ed25519_public: keys.host.public },
    // Its disk is as large as it was made, and nothing else is asked for.
    growpart: { mode: 'off' },
    resize_rootfs: false,
    cloud_config_modules: [],
    cloud_final_modules: [],
  };
}

const NETWORK = {
  version: 2,
  ethernets: {
    nest: {
      match: { macaddress: SSH_NETWORK.mac },
      addresses: [`${SSH_NETWORK.guest}/24`],
      dhcp4: false,
      'accept-ra': false,
    },
  },
};
