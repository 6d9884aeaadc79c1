import { NestError } from '../../errors.ts';

/** What is copied. */
export interface Source {
  /** As it was asked for. */
  path: string;
  folder: boolean;
}

export interface Target {
  path: string;
  kind: 'folder' | 'file' | 'none';
}

/** Where a copy goes: into this folder, under this name; '.' puts the contents of a folder into it. */
export interface Landing {
  folder: string;
  name: string;
}

/**
 * The rules of `docker cp`: https://docs.docker.com/reference/cli/docker/container/cp/#description
 *
 * @throws NestError `invalid-input` for what they exclude
 */
export function landing(source: Source, target: Target): Landing {
  const operation = `copy \`${source.path}\` to \`${target.path}\``;
  const contents = source.folder && /(^|\/)\.$/.test(source.path);
  if (target.kind === 'folder') return { folder: target.path, name: contents ? '.' : baseName(source.path) };
  if (target.kind === 'file' && source.folder)
    throw new NestError('invalid-input', `${operation}: a folder cannot take the place of a file`);
  if (target.kind === 'file' && target.path.endsWith('/'))
    throw new NestError('invalid-input', `${operation}: the target is no folder`);
  if (target.kind === 'none' && target.path.endsWith('/') && !source.folder)
    throw new NestError('invalid-input', `${operation}: there is no such folder`, {
      hint: 'Make it first, or leave out the last slash to name the copy.',
    });
  return { folder: parentOf(target.path), name: baseName(target.path) };
}

/** The name that an archive of this path has its files under. */
export function archiveName(path: string): string {
  return /(^|\/)\.?$/.test(path) ? '.' : baseName(path);
}

export function baseName(path: string): string {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  return names.at(-1) ?? '.';
}

/** Of a path that need not exist. */
export function parentOf(path: string): string {
  const bare = path.replace(/(\/+\.?)+$/, '');
  const at = bare.lastIndexOf('/');
  return at === -1 ? '.' : bare.slice(0, at) || '/';
}
