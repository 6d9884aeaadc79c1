import { CAPABILITIES } from '../security/capability-names.ts';
import { OPTION_NAMES } from '../rootfs/mount-options.ts';
import { Action, Argument } from '../security/seccomp/filter.ts';

/** runtime-spec features.md. */
export function features(): undefined {
  console.log(
    JSON.stringify(
      {
        ociVersionMin: '1.0.0',
        ociVersionMax: '1.2.0',
        hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
        mountOptions: OPTION_NAMES,
        linux: {
          namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts'],
          capabilities: CAPABILITIES.map((name) => `CAP_${name}`),
          cgroup: { v1: false, v2: true, systemd: false, systemdUser: false, rdma: false },
          seccomp: {
            enabled: true,
            actions: Action.options.filter((action) => action !== 'SCMP_ACT_NOTIFY'),
            operators: Argument.entries.op.options,
            archs: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
            knownFlags: FLAGS,
            supportedFlags: FLAGS,
          },
          apparmor: { enabled: false },
          selinux: { enabled: false },
          intelRdt: { enabled: false },
          mountExtensions: { idmap: { enabled: true } },
        },
      },
      null,
      2,
    ),
  );
  return undefined;
}

const FLAGS = ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'];
