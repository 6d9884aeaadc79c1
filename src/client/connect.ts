import type Docker from 'dockerode';
import { nestPaths, type Paths } from '../paths.ts';
import { docked, openDocker } from './docker.ts';
import { engineClient, type EngineClient } from './engine-client.ts';
import { answers, ping } from './ping.ts';
import { startEngine, type EngineProgram } from './start-engine.ts';

/** One engine, reached. */
export interface Engine {
  paths: Paths;
  nest: EngineClient;
  /** Runs one call of dockerode, so that its errors are NestErrors. */
  docker<T>(call: (docker: Docker) => Promise<T>): Promise<T>;
  /** True when this connection started the engine. */
  started: boolean;
}

export interface ConnectOptions {
  /** Start an engine when none answers. */
  start: boolean;
  paths?: Paths;
  program?: EngineProgram;
  signal?: AbortSignal;
}

/** The engine of this user on this host; throws `engine-unavailable` or `not-permitted`. */
export async function connectEngine({ start, paths = nestPaths(), program, signal }: ConnectOptions): Promise<Engine> {
  const running = await answers(paths.engineSocket);
  if (!running && start) await startEngine(paths, { ...(program && { program }), ...(signal && { signal }) });
  else if (!running) await ping(paths.engineSocket);
  return engineAt(paths, !running);
}

function engineAt(paths: Paths, started: boolean): Engine {
  let docker: Promise<Docker> | undefined;
  return {
    paths,
    started,
    nest: engineClient(paths.engineSocket),
    docker: async (call) => {
      docker ??= openDocker(paths.engineSocket);
      return docked(paths.engineSocket, call(await docker));
    },
  };
}
