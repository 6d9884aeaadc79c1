import { release } from 'node:os';
import * as v from 'valibot';
import { SeccompFilter, SyscallRule } from './filter.ts';

/** When a rule holds: capabilities that the container has, the machine's architecture, the kernel's version. */
const Condition = v.object({
  caps: v.nullish(v.array(v.string())),
  arches: v.nullish(v.array(v.string())),
  minKernel: v.nullish(v.pipe(v.string(), v.regex(/^\d+\.\d+$/))),
});

/**
 * A profile as Docker and Podman read it with `--security-opt seccomp=FILE`: an OCI filter whose rules may depend on the
 * container. https://docs.docker.com/engine/security/seccomp/
 */
export const SeccompProfile = v.object({
  ...SeccompFilter.entries,
  archMap: v.nullish(v.array(v.object({ architecture: v.string(), subArchitectures: v.nullish(v.array(v.string())) }))),
  syscalls: v.nullish(
    v.pipe(
      v.array(
        v.object({
          ...SyscallRule.entries,
          names: v.nullish(SyscallRule.entries.names),
          /** An older form of `names`. */
          name: v.nullish(v.string()),
          includes: v.nullish(Condition),
          excludes: v.nullish(Condition),
        }),
      ),
      v.maxLength(4096),
    ),
  ),
});
export type SeccompProfile = v.InferOutput<typeof SeccompProfile>;
type Condition = v.InferOutput<typeof Condition>;

/** The filter of a container with these capabilities (CAP_*). */
export function filterOf(profile: SeccompProfile, capabilities: string[], kernel = release()): SeccompFilter {
  const holds = (condition: Condition | null | undefined, every: boolean) => {
    const answers = [
      ...(condition?.caps ?? []).map((name) => capabilities.includes(name)),
      ...(condition?.arches?.length ? [condition.arches.includes(ARCHITECTURE)] : []),
      ...(condition?.minKernel ? [isAtLeast(kernel, condition.minKernel)] : []),
    ];
    return every ? answers.every(Boolean) : answers.some(Boolean);
  };
  const subArchitectures = profile.archMap?.find(({ architecture }) => architecture === TOKEN)?.subArchitectures;
  return {
    defaultAction: profile.defaultAction,
    defaultErrnoRet: profile.defaultErrnoRet,
    architectures: profile.archMap ? [TOKEN, ...(subArchitectures ?? [])] : profile.architectures,
    flags: profile.flags,
    listenerPath: profile.listenerPath,
    syscalls: (profile.syscalls ?? [])
      .filter(({ includes, excludes }) => holds(includes, true) && !holds(excludes, false))
      .map(({ names, name, action, errnoRet, args }) => ({ names: names ?? [name ?? ''], action, errnoRet, args })),
  };
}

/** By the first two numbers, as 6.1 of 6.1.0-32-cloud-amd64. */
function isAtLeast(kernel: string, least: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** Guests are x86-64: in Go's words, which profiles use, and in libseccomp's. */
const ARCHITECTURE = 'amd64';
const TOKEN = 'SCMP_ARCH_X86_64';
