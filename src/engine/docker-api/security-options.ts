import type { Security } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';

/**
 * `--security-opt` as Docker's clients send it: `seccomp=unconfined` or `seccomp=` and a profile in JSON, and
 * `no-new-privileges`, which is on here unless it is said to be false.
 *
 * @throws NestError `unsupported` for others: an option of security that is silently dropped is worse than an error
 */
export function parseSecurityOptions(options: string[]): Pick<Security, 'seccomp' | 'noNewPrivileges'> {
  const security: Pick<Security, 'seccomp' | 'noNewPrivileges'> = {};
  for (const option of options) {
    const [, name = '', value] = /^([^=:]+)(?:[=:](.*))?$/s.exec(option) ?? [];
    if (name === 'seccomp' && value !== undefined) {
      if (value !== 'builtin') security.seccomp = value;
    } else if (name === 'no-new-privileges' && ['true', 'false', undefined].includes(value)) {
      security.noNewPrivileges = value !== 'false';
    } else if (!HARMLESS.has(option)) {
      throw new NestError('unsupported', `security option \`${option.slice(0, 128)}\`: not supported by nest`, {
        hint: 'those there are: seccomp=unconfined, seccomp=FILE, no-new-privileges=true|false',
      });
    }
  }
  return security;
}

/** Guests have neither of both. */
const HARMLESS = new Set(['apparmor=unconfined', 'label=disable', 'label:disable']);
