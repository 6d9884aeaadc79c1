import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import { pack, type Header } from 'tar-stream';
import { nestPaths, type Paths } from '../../src/paths.ts';

/** One entry of a layer's tar; `pax` holds raw PAX records such as `SCHILY.xattr.user.x`. */
export interface TarEntry extends Partial<Omit<Header, 'pax'>> {
  name: string;
  content?: string | Buffer;
  pax?: Record<string, string>;
}

export interface TestLayer {
  /** The uncompressed tar. */
  tar: Buffer;
  compression?: 'none' | 'gzip' | 'zstd';
  /** What the configuration claims instead of the tar's own digest. */
  diffId?: string;
}

export interface TestImage {
  name?: string;
  entrypoint?: string[];
  cmd?: string[];
  env?: string[];
  user?: string;
  workingDir?: string;
  exposedPorts?: string[];
  volumes?: string[];
  labels?: Record<string, string>;
  stopSignal?: string;
  architecture?: string;
  /** How the image is written: an OCI layout folder, or one of the two archive files. */
  format?: 'oci-layout' | 'oci-archive' | 'docker-archive';
}

export interface BusyboxImage extends TestImage {
  /** Files added in a layer of their own, by path without the leading slash. Mode 0755, so that scripts run. */
  files?: Record<string, string | Buffer>;
  /** More layers on top, as their tar entries: whiteouts, hard links, devices. */
  layers?: TarEntry[][];
}

/**
 * A small image around Debian's static busybox (package busybox-static): every applet is on PATH, /etc/passwd knows root
 * and nobody. The same options give the same bytes, and all images share their base layer.
 *
 * @param folder is created; the image is written into it.
 * @returns the path to hand to `nest image load`.
 */
export async function busyboxImage(folder: string, options: BusyboxImage = {}): Promise<string> {
  const { files = {}, layers = [], ...image } = options;
  const added = Object.entries(files).map(([name, content]) => ({ name, content, mode: 0o755 }));
  const stack = [await busyboxEntries(), ...(added.length > 0 ? [added] : []), ...layers];
  const tars = await Promise.all(stack.map((entries) => tarOf(entries)));
  return writeImage(
    folder,
    tars.map((tar) => ({ tar })),
    { cmd: ['sh'], name: 'localhost/busybox:latest', ...image },
  );
}

/** Writes an image of any layers, valid or hostile. */
export async function writeImage(folder: string, layers: TestLayer[], options: TestImage = {}): Promise<string> {
  const { format = 'oci-layout', name = 'localhost/test:latest' } = options;
  const config = Buffer.from(JSON.stringify(configOf(layers, options)));
  await mkdir(folder, { recursive: true });
  const files = format === 'docker-archive' ? dockerArchive(layers, config, name) : ociLayout(layers, config, name);
  if (format === 'oci-layout') {
    for (const [file, content] of files) {
      await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
      await writeFile(path.join(folder, file), content);
    }
    return folder;
  }
  const archive = path.join(folder, `${format}.tar`);
  await writeFile(archive, await tarOf([...files].map(([file, content]) => ({ name: file, content }))));
  return archive;
}

/** A folder that is gone after the test. */
export async function temporaryFolder(t: Pick<ExecutionContext, 'teardown'>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-images-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Paths of a nest of its own below `folder`. */
export function pathsIn(folder: string): Paths {
  return nestPaths({ NEST_DATA_DIR: path.join(folder, 'data'), NEST_RUNTIME_DIR: path.join(folder, 'run') }, 1000);
}

/** A tar of these entries; owner root and time 0 unless given. */
export async function tarOf(entries: TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) {
    const type = header.type ?? (header.name.endsWith('/') ? 'directory' : 'file');
    const full = { mode: type === 'directory' ? 0o755 : 0o644, mtime: new Date(0), ...header, type };
    if (type === 'file') tar.entry(full, content ?? '');
    else tar.entry(full);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Bytes as a stream in chunks of `size`. */
// eslint-disable-next-line @typescript-eslint/require-await -- streams are asynchronous, this one by name only
export async function* streamOf(data: Buffer, size = data.length): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

export function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

async function busyboxEntries(): Promise<TarEntry[]> {
  const applets = execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  return [
    ...['bin/', 'dev/', 'etc/', 'proc/', 'root/', 'sys/', 'usr/', 'usr/bin/'].map((name) => ({ name })),
    { name: 'tmp/', mode: 0o1777 },
    { name: 'bin/busybox', content: await readFile(BUSYBOX), mode: 0o755 },
    ...applets
      .filter((applet) => applet !== 'busybox')
      .map((applet) => ({ name: `bin/${applet}`, type: 'symlink' as const, linkname: 'busybox', mode: 0o777 })),
    {
      name: 'etc/passwd',
      content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n',
    },
    { name: 'etc/group', content: 'root:x:0:\nnobody:x:65534:\n' },
  ];
}

function configOf(layers: TestLayer[], options: TestImage): object {
  return {
    created: '2024-01-01T00:00:00Z',
    architecture: options.architecture ?? 'amd64',
    os: 'linux',
    config: {
      Env: options.env ?? ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
      ...(options.entrypoint && { Entrypoint: options.entrypoint }),
      ...(options.cmd && { Cmd: options.cmd }),
      ...(options.user && { User: options.user }),
      ...(options.workingDir && { WorkingDir: options.workingDir }),
      ...(options.labels && { Labels: options.labels }),
      ...(options.stopSignal && { StopSignal: options.stopSignal }),
      ...(options.volumes && { Volumes: Object.fromEntries(options.volumes.map((path) => [path, {}])) }),
      ...(options.exposedPorts && {
        ExposedPorts: Object.fromEntries(options.exposedPorts.map((port) => [port, {}])),
      }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ tar, diffId }) => diffId ?? sha256(tar)) },
    history: layers.map(() => ({ created_by: 'test/helpers/images.ts' })),
  };
}

/** https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
function ociLayout(layers: TestLayer[], config: Buffer, name: string): Map<string, Buffer> {
  const blobs = new Map<string, Buffer>();
  const blob = (mediaType: string, content: Buffer) => {
    blobs.set(`blobs/${sha256(content).replace(':', '/')}`, content);
    return { mediaType, digest: sha256(content), size: content.length };
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: blob(`${OCI}.config.v1+json`, config),
    layers: layers.map(({ tar, compression = 'none' }) => {
      const suffix = compression === 'none' ? '' : `+${compression}`;
      return blob(`${OCI}.layer.v1.tar${suffix}`, COMPRESS[compression](tar));
    }),
  };
  const descriptor = {
    ...blob(`${OCI}.manifest.v1+json`, Buffer.from(JSON.stringify(manifest))),
    annotations: { 'org.opencontainers.image.ref.name': name },
  };
  const index = { schemaVersion: 2, manifests: [descriptor] };
  return new Map([
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ['index.json', Buffer.from(JSON.stringify(index))],
    ...blobs,
  ]);
}

/** What `docker save` wrote before Docker 25: https://github.com/moby/moby/blob/v24.0.0/image/spec/v1.2.md */
function dockerArchive(layers: TestLayer[], config: Buffer, name: string): Map<string, Buffer> {
  const hex = (content: Buffer) => sha256(content).slice('sha256:'.length);
  const manifest = {
    Config: `${hex(config)}.json`,
    RepoTags: [name],
    Layers: layers.map(({ tar }) => `${hex(tar)}/layer.tar`),
  };
  return new Map([
    ...layers.map(({ tar }): [string, Buffer] => [`${hex(tar)}/layer.tar`, tar]),
    [manifest.Config, config],
    ['manifest.json', Buffer.from(JSON.stringify([manifest]))],
  ]);
}

const BUSYBOX = '/bin/busybox';
const OCI = 'application/vnd.oci.image';

const COMPRESS = { none: (tar: Buffer) => tar, gzip: (tar: Buffer) => gzipSync(tar), zstd: zstdCompressSync };
