import { createHash } from 'node:crypto';
import { chmod, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import type { Paths } from '../paths.ts';
import { normalizeModes } from './modes.ts';
import { projectRoot } from './project-root.ts';
import { makeSquashfs } from './squashfs.ts';
import { openWorkFolder } from './work-folder.ts';

export interface AgentPart {
  digest: string;
  /** Squashfs that the guest mounts on /opt/nest. */
  file: string;
}

/** Entry points of the programs, by the name of the bundle. Init starts the first two. */
export interface AgentSources {
  agent: string;
  zygote: string;
  'nest-runtime'?: string;
}

/**
 * Bundles agent and zygote from their TypeScript sources into a small squashfs of its own, so that a changed agent does
 * not rebuild the guest image. Does nothing when these bundles were packed before.
 */
export async function makeAgentPart(paths: Paths, sources = agentSources(), signal?: AbortSignal): Promise<AgentPart> {
  const files = await bundle(sources);
  const digest = digestOf(files);
  const file = path.join(paths.agents, `${digest}.squashfs`);
  if (await exists(file)) return { digest, file };
  await using work = await openWorkFolder(paths.agents);
  const tree = path.join(work.folder, 'tree');
  await mkdir(tree);
  for (const [name, content] of files)
    await writeFile(path.join(tree, name), content, { mode: name.includes('.') ? 0o644 : 0o755 });
  await normalizeModes(tree);
  const packed = path.join(work.folder, 'packed');
  await makeSquashfs(tree, packed, { signal });
  await chmod(packed, 0o444);
  await rename(packed, file);
  return { digest, file };
}

function agentSources(): AgentSources {
  const folder = path.join(projectRoot(), 'guest-agent');
  return {
    agent: path.join(folder, 'main.ts'),
    zygote: path.join(folder, 'zygote/main.ts'),
    'nest-runtime': path.join(folder, 'nest-runtime/main.ts'),
  };
}

/** Names and contents of the part's files. koffi is native code and comes with the guest image, in /opt/node_modules. */
async function bundle(sources: AgentSources): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: { ...sources },
    outdir: '/opt/nest',
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['koffi'],
    absWorkingDir: projectRoot(),
    logLevel: 'silent',
  });
  const bundles = outputFiles.map((file) => [path.basename(file.path), file.contents] as const);
  const manifest = Buffer.from('{"type":"module"}\n');
  const programs = 'nest-runtime' in sources ? [['nest-runtime', Buffer.from(NEST_RUNTIME)] as const] : [];
  return new Map([...bundles, ...programs, ['package.json', manifest] as const]);
}

function digestOf(files: Map<string, Uint8Array>): string {
  const hash = createHash('sha256').update(FORMAT);
  for (const [name, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${name}\0${content.length}\0`).update(content);
  return hash.digest('hex');
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** A fork of it is a container's process: it must have one thread, as the zygote. */
const NEST_RUNTIME = `#!/bin/sh
exec /usr/bin/node --single-threaded --v8-pool-size=0 --disable-sigusr1 /opt/nest/nest-runtime.js "$@"
`;

/** Changes with the way the part is packed. */
const FORMAT = 'agent-part 1\0';
