import type Docker from 'dockerode';
import { connectionError, errorReply } from './http.ts';

/** dockerode on the engine's socket. Loaded here alone: it takes 100 ms, and half of the commands do without. */
export async function openDocker(socketPath: string): Promise<Docker> {
  const { default: Dockerode } = await import('dockerode');
  // An empty host keeps dockerode from taking DOCKER_HOST; the type wants a string.
  return new Dockerode({ socketPath, host: '', protocol: 'http' });
}

/** Runs one dockerode call; its errors become NestErrors with the engine's code and hint. */
export async function docked<T>(socketPath: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    // 304: it is as asked already (a stop of a stopped container), which Docker's CLI takes for success.
    if (isModemError(error) && error.statusCode === 304) return undefined as T;
    throw dockerError(socketPath, error);
  }
}

interface ModemError extends Error {
  statusCode: number;
  /** The reply's body; null where the reply would have been a stream. */
  json?: unknown;
}

function isModemError(error: unknown): error is ModemError {
  return error instanceof Error && 'statusCode' in error;
}

function dockerError(socketPath: string, error: unknown): unknown {
  if (!isModemError(error)) return connectionError(socketPath, error);
  const { statusCode, json, message } = error;
  if (json !== null && typeof json === 'object' && !Buffer.isBuffer(json))
    return errorReply(statusCode, JSON.stringify(json));
  const text = /^\(HTTP code \d+\) .*? - (.*?) ?$/s.exec(message)?.[1] ?? message;
  return errorReply(statusCode, JSON.stringify({ message: text }));
}
