import { existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';

/** The device of the virtio-serial port `name`. A port that the kernel has not announced yet is waited for. */
export async function findPort(name: string, { sys = '/sys', dev = '/dev' } = {}): Promise<string> {
  const look = () => portOf(join(sys, 'class/virtio-ports'), name, dev);
  const watcher = watch(dev);
  const appeared = Promise.withResolvers<string>();
  watcher.on('change', () => {
    const device = look();
    if (device !== undefined) appeared.resolve(device);
  });
  try {
    return look() ?? (await appeared.promise);
  } finally {
    watcher.close();
  }
}

function portOf(ports: string, name: string, dev: string): string | undefined {
  if (!existsSync(ports)) return undefined;
  const port = readdirSync(ports).find((entry) => readName(join(ports, entry, 'name')) === name);
  const device = port === undefined ? undefined : join(dev, port);
  return device !== undefined && existsSync(device) ? device : undefined;
}

/** A port that is just being added has no name yet. */
const readName = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim() : '');
