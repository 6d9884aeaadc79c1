import { parse } from 'yaml';
import { NestError } from '../errors.ts';
import type { ComposeFile } from './compose-file.ts';

/**
 * The project that a Compose file deploys, in Compose's order: COMPOSE_PROJECT_NAME, the file's `name`, its folder. The
 * file may be broken otherwise: a project can be taken down all the same.
 */
export function projectNameOf({ file, fileName, folder, environment }: ComposeFile): string {
  const name = environment['COMPOSE_PROJECT_NAME'] || nameIn(file) || nameOfFolder(folder);
  if (name && !name.includes('$')) return name;
  throw new NestError('invalid-input', `read the project's name from \`${fileName}\`: it is not written out there`, {
    hint: 'Give the name: `nest down PROJECT`.',
  });
}

function nameIn(file: string): string | undefined {
  try {
    const document: unknown = parse(file);
    const name = (document as { name?: unknown } | null)?.name;
    return typeof name === 'string' || typeof name === 'number' ? String(name) : undefined;
  } catch {
    return undefined;
  }
}

/** As Compose makes a name of a folder's. */
function nameOfFolder(folder: string): string {
  return folder
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '')
    .slice(0, 63);
}
