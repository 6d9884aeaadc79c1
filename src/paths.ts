import { homedir } from 'node:os';
import path from 'node:path';

/**
 * Every on-disk name, once. `NEST_DATA_DIR` and `NEST_RUNTIME_DIR` move the two roots (tests do).
 *
 * Root keeps its state in /var/lib/nest and /run/nest; another user in the XDG base directories
 * (https://specifications.freedesktop.org/basedir-spec/latest/).
 */
export interface Paths {
  /** Survives reboots. */
  data: string;
  /** Sockets and locks, mode 0700 for a user; 0711 for root, whose guests run as another user. */
  runtime: string;
  /** The Docker Engine API and /nest, mode 0600. */
  engineSocket: string;
  engineLog: string;
  /** SQLite; its exclusive lock makes the engine the only one. */
  stateDatabase: string;
  /** Guest images by digest: guestImages/<digest>/{vmlinuz,initrd,root.squashfs,image.json}. */
  guestImages: string;
  /** Disk images of distributions: stockImages/<name>/<digest>/{disk.qcow2,image.json}. */
  stockImages: string;
  /** Agent parts by digest: agents/<digest>.squashfs. */
  agents: string;
  /** Templates by digest: templates/<digest>/{memory,devices,disk.qcow2,template.json}. */
  templates: string;
  /** An OCI image layout. */
  imageStore: string;
  /** Layer disks: layers/<diff id, hex>.squashfs, mode 0444. */
  layers: string;
  /** Steps that builds have done; their layers are in the image store. */
  buildCache: string;
  /** Files of builds that end as soon as QEMU has them open; emptied when the engine starts. */
  buildFiles: string;
  /** One folder per guest. */
  guests: string;
  /** One folder per volume: volumes/<id>/{disk.raw,volume.json}. */
  volumes: string;
  /** Consoles' last lines of guests that ended by themselves. */
  lastWords: string;
  /** Downloads that can be made again. */
  cache: string;
}

export interface GuestPaths {
  folder: string;
  /** The disk that the agent writes, qcow2. */
  disk: string;
  /** What it hands to the engine in bulk, sparse; only of guests that were asked to. */
  scratch: string;
  /** Of a guest of a stock image: its system, a qcow2 over the image, what cloud-init reads, and the keys to its sshd. */
  system: string;
  seed: string;
  sshKeys: string;
  /** Serial console, kept and bounded by virtlogd. */
  console: string;
  /** What its snapshots are of; they themselves are in its disk. */
  snapshots: string;
  /** Host end of the virtio-serial port that carries the trunk. */
  trunk: string;
}

export function nestPaths(env: NodeJS.ProcessEnv = process.env, uid: number = process.getuid?.() ?? 0): Paths {
  const root = uid === 0;
  const data =
    env['NEST_DATA_DIR'] ??
    (root ? '/var/lib/nest' : path.join(env['XDG_DATA_HOME'] ?? path.join(homedir(), '.local/share'), 'nest'));
  const runtime =
    env['NEST_RUNTIME_DIR'] ?? (root ? '/run/nest' : path.join(env['XDG_RUNTIME_DIR'] ?? `/tmp/nest-${uid}`, 'nest'));
  return {
    data,
    runtime,
    engineSocket: path.join(runtime, 'engine.sock'),
    engineLog: path.join(data, 'engine.log'),
    stateDatabase: path.join(data, 'state.db'),
    guestImages: path.join(data, 'guest-images'),
    stockImages: path.join(data, 'stock-images'),
    agents: path.join(data, 'agents'),
    templates: path.join(data, 'templates'),
    imageStore: path.join(data, 'images'),
    layers: path.join(data, 'layers'),
    buildCache: path.join(data, 'build-cache.json'),
    buildFiles: path.join(runtime, 'build'),
    guests: path.join(data, 'guests'),
    volumes: path.join(data, 'volumes'),
    lastWords: path.join(data, 'last-words'),
    cache: path.join(data, 'cache'),
  };
}

export function guestPaths(paths: Paths, guestId: string): GuestPaths {
  const folder = path.join(paths.guests, guestId);
  return {
    folder,
    disk: path.join(folder, 'disk.qcow2'),
    scratch: path.join(folder, 'scratch.raw'),
    system: path.join(folder, 'system.qcow2'),
    seed: path.join(folder, 'seed.iso'),
    sshKeys: path.join(folder, 'ssh-keys.json'),
    console: path.join(folder, 'console.log'),
    snapshots: path.join(folder, 'snapshots.json'),
    trunk: path.join(paths.runtime, `${guestId}.trunk`),
  };
}

export function volumePaths(paths: Paths, volumeId: string): { folder: string; disk: string; description: string } {
  const folder = path.join(paths.volumes, volumeId);
  return { folder, disk: path.join(folder, 'disk.raw'), description: path.join(folder, 'volume.json') };
}
