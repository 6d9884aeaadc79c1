import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AttachedStreams } from '../containers/output.ts';
import { errorReply, FRAMES, RAW } from './reply.ts';

/**
 * Makes the connection the process's streams: from now on bytes are stdin one way and frames the other. Each side may
 * end its half first; the docker client ends stdin early and goes on reading.
 */
export function hijack(socket: Duplex, { input, output, raw }: AttachedStreams, stdin: boolean): void {
  socket.write(
    `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${raw ? RAW : FRAMES}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
  );
  const end = () => {
    socket.destroy();
    output.destroy();
    input.destroy();
  };
  for (const stream of [socket, output, input]) stream.on('error', end);
  socket.once('close', end);
  if (stdin) socket.pipe(input);
  else {
    socket.resume();
    input.end();
  }
  output.pipe(socket);
  output.once('close', () => {
    if (!output.readableEnded) end();
  });
}

/** A refusal, on a connection whose HTTP parser is gone. */
export function refuse(socket: Duplex, error: unknown): void {
  const { status, json } = errorReply(error);
  const body = JSON.stringify(json);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
