import { arch, cpus, hostname, release, totalmem } from 'node:os';
import type { Context } from '../context.ts';
import { API_VERSION, OLDEST_API_VERSION } from '../http/router.ts';
import type { Reply, Route } from '../http/route.ts';
import { dockerState } from './container-status.ts';

/** What a client asks before all else. */
export function systemRoutes(ctx: Context, version: string): Route[] {
  const pong = { status: 200, text: 'OK', headers: PING_HEADERS };
  return [
    { method: 'GET', path: '/_ping', handle: () => pong },
    { method: 'HEAD', path: '/_ping', handle: () => ({ ...pong, text: '' }) },
    { method: 'GET', path: '/version', handle: () => ({ status: 200, json: versionJson(version) }) },
    { method: 'GET', path: '/info', handle: () => info(ctx, version) },
  ];
}

function versionJson(version: string): Record<string, unknown> {
  const api = { ApiVersion: API_VERSION, MinAPIVersion: OLDEST_API_VERSION, Os: 'linux', Arch: goArch() };
  return {
    Platform: { Name: 'nest' },
    Version: version,
    ...api,
    KernelVersion: release(),
    GitCommit: '',
    GoVersion: '',
    BuildTime: '',
    Components: [{ Name: 'Engine', Version: version, Details: api }],
  };
}

async function info(ctx: Context, version: string): Promise<Reply> {
  const states = ctx.state.containers.all().map((container) => dockerState(ctx, container));
  const running = states.filter((state) => state === 'running' || state === 'restarting').length;
  const paused = states.filter((state) => state === 'paused').length;
  const json = {
    ID: ctx.instance.id,
    Name: hostname(),
    ServerVersion: version,
    OperatingSystem: 'nest',
    OSType: 'linux',
    Architecture: arch() === 'x64' ? 'x86_64' : arch(),
    KernelVersion: release(),
    NCPU: cpus().length,
    MemTotal: totalmem(),
    Containers: states.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: states.length - running - paused,
    Images: (await ctx.images.list()).length,
    Driver: 'overlay2',
    CgroupDriver: 'none',
    CgroupVersion: '2',
    DefaultRuntime: 'nest',
    Runtimes: { nest: {} },
    SecurityOptions: ['name=vm'],
    Labels: [],
    Warnings: [],
  };
  return { status: 200, json };
}

function goArch(): string {
  return arch() === 'x64' ? 'amd64' : arch();
}

const PING_HEADERS = {
  'Api-Version': API_VERSION,
  Ostype: 'linux',
  'Docker-Experimental': 'false',
  'Builder-Version': '1',
  Swarm: 'inactive',
  'Cache-Control': 'no-cache, no-store, must-revalidate',
};
