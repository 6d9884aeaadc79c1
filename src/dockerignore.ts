import ignore from '@balena/dockerignore';

/**
 * Tells which paths of a build context are left out (https://docs.docker.com/build/concepts/context/#dockerignore-files).
 *
 * @param text of `.dockerignore`
 */
export function dockerignore(text: string): (path: string) => boolean {
  const rules = ignore.default({ ignorecase: false }).add(text.replace(/^\ufeff/, ''));
  return (path) => rules.ignores(path);
}
