/**
 * Stands for src/engine/main.ts in tests of starting an engine: `fake-engine-program.ts MODE SOCKET`. Of two, the one
 * that makes the lock folder serves the socket; the other ends with status 3, as the real engine does.
 */
import { mkdirSync, watch, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';

const [, , mode, socketPath = ''] = process.argv;

if (mode === 'broken') {
  console.error('libvirt is not installed');
  process.exit(1);
}
const server = createServer((request, reply) => {
  reply.end('OK');
  if (request.url === '/nest/stop') {
    server.close();
    server.closeAllConnections();
  }
});
// Only when the other has been refused, so that its client must wait for this one's socket.
const watcher = watch(path.dirname(socketPath), (_event, name) => {
  if (name !== `${path.basename(socketPath)}.refused`) return;
  watcher.close();
  server.listen(socketPath);
});
try {
  mkdirSync(`${socketPath}.lock`);
} catch {
  writeFileSync(`${socketPath}.refused`, '');
  process.exit(3);
}
