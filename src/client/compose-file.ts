import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { NestError } from '../errors.ts';

/** A Compose file as the engine wants it. */
export interface ComposeFile {
  file: string;
  fileName: string;
  /** Name of the folder it is in. */
  folder: string;
  /** Its path. */
  directory: string;
  environment: Record<string, string>;
}

/** Reads the Compose file at `place`, a file or a folder, with the variables that it may refer to. */
export async function readComposeFile(place: string, own: NodeJS.ProcessEnv = process.env): Promise<ComposeFile> {
  const location = await locateComposeFile(path.resolve(place));
  const [file, dotEnv] = await Promise.all([readText(location), readDotEnv(path.dirname(location))]);
  return {
    file,
    fileName: path.basename(location),
    folder: path.basename(path.dirname(location)),
    directory: path.dirname(location),
    environment: mentioned(file, { ...dotEnv, ...own }),
  };
}

/** The names that Compose looks for, in its order. */
async function locateComposeFile(place: string): Promise<string> {
  const kind = await stat(place).catch((cause: unknown) => {
    throw new NestError('not-found', `read \`${place}\`: no such file or folder`, {
      hint: 'Name a Compose file, or a folder that has one.',
      cause,
    });
  });
  if (!kind.isDirectory()) return place;
  for (const name of FILE_NAMES) {
    const candidate = path.join(place, name);
    if (await stat(candidate).catch(() => undefined)) return candidate;
  }
  throw new NestError('not-found', `read \`${place}\`: no Compose file there`, {
    hint: `Name the file, or call it ${FILE_NAMES[0]}.`,
  });
}

async function readText(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > SIZE_LIMIT) throw new NestError('invalid-compose', `read \`${file}\`: longer than 1 MiB`);
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new NestError('not-permitted', `read \`${file}\`: ${(cause as Error).message}`, { cause });
  });
}

async function readDotEnv(folder: string): Promise<NodeJS.Dict<string>> {
  try {
    return parseEnv(await readFile(path.join(folder, '.env'), 'utf8'));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new NestError('invalid-input', `read \`${path.join(folder, '.env')}\`: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Only what names the project and what the file mentions leaves this process: an environment holds secrets. */
function mentioned(file: string, variables: NodeJS.Dict<string>): Record<string, string> {
  const names = new Set(['COMPOSE_PROJECT_NAME', ...(file.match(/[A-Za-z_]\w*/g) ?? [])]);
  return Object.fromEntries(
    Object.entries(variables).filter(
      (entry): entry is [string, string] => names.has(entry[0]) && entry[1] !== undefined,
    ),
  );
}

const FILE_NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];
const SIZE_LIMIT = 1024 * 1024;
