import { PLATFORM_ARGS } from './stages.ts';

/** The variables of one stage: ENV goes over ARG. */
export interface Scope {
  /** Value of a variable in a word of the Dockerfile. */
  lookup(name: string): string | undefined;
  declare(name: string, value: string | undefined): void;
  /** KEY=VALUE of the arguments, for RUN. */
  args(): string[];
}

/**
 * @param env KEY=VALUE as they are when asked
 * @param given build arguments by name
 */
export function openScope(env: () => string[], given: Map<string, string>, globalArgs: Map<string, string>): Scope {
  const declared = new Map<string, string>();
  const fromEnv = (name: string) =>
    env()
      .findLast((entry) => entry.startsWith(`${name}=`))
      ?.slice(name.length + 1);
  return {
    lookup: (name) => fromEnv(name) ?? declared.get(name),
    declare(name, value) {
      const final = given.get(name) ?? value ?? globalArgs.get(name) ?? PLATFORM_ARGS.get(name);
      if (final === undefined) declared.delete(name);
      else declared.set(name, final);
    },
    args: () =>
      [...declared].filter(([name]) => fromEnv(name) === undefined).map(([name, value]) => `${name}=${value}`),
  };
}

/** Known without ARG, passed to RUN, and no part of what makes two builds differ. */
export const PROXY_ARGS = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);
