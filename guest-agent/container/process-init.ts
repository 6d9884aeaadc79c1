import type { ContainerSpec, ExecSpec } from '../api.ts';
import { capabilitiesOf } from '../security/capabilities.ts';
import { DEFAULT_CAPABILITIES, capabilityMask } from '../security/capability-names.ts';
import { seccompFilter } from '../security/seccomp/choose.ts';
import { keepProject } from '../security/seccomp/keep-project.ts';
import type { ContainerInit } from '../zygote/protocol.ts';
import type { Identity } from './user.ts';

/** What a container's first process and its further ones have alike: none has a right that another has not. */
export function processInit(
  spec: ExecSpec,
  { security = {}, storageLimit }: Pick<ContainerSpec, 'security' | 'storageLimit'>,
  identity: Identity,
): ProcessInit {
  const capabilities = security.capabilities ?? DEFAULT_CAPABILITIES;
  const filter = seccompFilter(security.seccomp, capabilities);
  return {
    argv: spec.argv,
    env: withDefaults(spec.env, { HOME: identity.home, ...(spec.terminal && { TERM: 'xterm' }) }),
    cwd: spec.cwd,
    uid: identity.uid,
    gid: identity.gid,
    groups: identity.groups,
    capabilities: capabilitiesOf(identity.uid, capabilityMask(capabilities)),
    noNewPrivileges: security.noNewPrivileges ?? true,
    seccomp: storageLimit === undefined ? filter : keepProject(filter),
  };
}

type ProcessInit = Pick<
  ContainerInit,
  'argv' | 'env' | 'cwd' | 'uid' | 'gid' | 'groups' | 'capabilities' | 'noNewPrivileges' | 'seccomp'
>;

/** As other runtimes do: HOME is the user's and a terminal is an xterm, unless image or user say otherwise. */
const withDefaults = (env: string[], defaults: Record<string, string>) => [
  ...env,
  ...Object.entries(defaults)
    .filter(([name]) => !env.some((entry) => entry.startsWith(`${name}=`)))
    .map(([name, value]) => `${name}=${value}`),
];
