import { NestError } from '../../errors.ts';

/**
 * A path in a container that can be mounted on, in its plain form. What the kernel says must be where programs look for it.
 *
 * @param what is asked for, for messages
 * @throws NestError `invalid-input`
 */
export function mountDestination(what: string, path: string): string {
  if (!path.startsWith('/')) throw invalidMount(what, `\`${path}\` is no absolute path`);
  const plain = plainPath(path);
  if (plain.split('/').includes('..')) throw invalidMount(what, `\`${path}\` leads up`);
  if (plain === '/') throw invalidMount(what, "destination can't be '/'");
  if (/^\/(proc|sys)(\/|$)/.test(plain))
    throw invalidMount(
      what,
      `\`${plain}\` is the kernel's`,
      'mount it elsewhere: what is on /proc and /sys must be true',
    );
  return plain;
}

/** Without empty names, `.` and a slash at the end. */
export const plainPath = (path: string) =>
  `/${path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/')}`;

export function invalidMount(what: string, why: string, hint?: string): NestError {
  return new NestError('invalid-input', `invalid volume specification: '${what}': ${why}`, hint ? { hint } : {});
}
