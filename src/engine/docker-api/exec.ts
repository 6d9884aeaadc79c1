import * as v from 'valibot';
import { NestError } from '../../errors.ts';
import { execSessions } from '../containers/exec.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { findContainer } from './find.ts';
import { terminalSize } from './streams.ts';

/** Further processes in running containers. */
export function execRoutes(ctx: Context): Route[] {
  const sessions = execSessions(ctx);
  const find = (call: Call) => sessions.find(call.params['id'] ?? '');

  const create = async (call: Call): Promise<Reply> => {
    const body = await call.json(ExecBody);
    if (body.Privileged === true)
      throw new NestError('unsupported', 'exec: not supported by nest: Privileged', { hint: 'leave it out' });
    const [rows = 0, columns = 0] = body.ConsoleSize ?? [];
    const session = await sessions.create(await findContainer(ctx, call), {
      argv: body.Cmd,
      env: body.Env ?? [],
      workingDirectory: body.WorkingDir || null,
      user: body.User || null,
      stdin: body.AttachStdin ?? false,
      terminal: body.Tty === true ? { rows, columns } : null,
    });
    return { status: 201, json: { Id: session.id } };
  };

  const start = async (call: Call): Promise<Reply> => {
    const session = find(call);
    const { Detach } = await call.json(StartBody);
    const signal = Detach === true ? new AbortController().signal : call.signal;
    const attached = await sessions.start(session, signal);
    if (Detach !== true) return { attached, stdin: session.request.stdin };
    // Nobody reads it, and a process must not stop because of that.
    attached.output.on('error', () => undefined).resume();
    attached.input.end();
    return { status: 200 };
  };

  const inspect = async (call: Call): Promise<Reply> => {
    const session = find(call);
    const { running, exitCode, pid } = await sessions.state(session);
    const [entrypoint, ...args] = session.request.argv;
    const json = {
      ID: session.id,
      ContainerID: session.containerId,
      Running: running,
      ExitCode: exitCode,
      Pid: pid,
      OpenStdin: session.request.stdin,
      OpenStdout: true,
      OpenStderr: true,
      CanRemove: !running,
      DetachKeys: '',
      ProcessConfig: {
        entrypoint,
        arguments: args,
        tty: session.request.terminal !== null,
        privileged: false,
        user: session.request.user ?? '',
      },
    };
    return { status: 200, json };
  };

  const resize = async (call: Call): Promise<Reply> => {
    await sessions.resize(find(call), terminalSize(call.query));
    return { status: 200 };
  };

  return [
    { method: 'POST', path: '/containers/:id/exec', handle: create },
    { method: 'POST', path: '/exec/:id/resize', handle: resize },
    { method: 'POST', path: '/exec/:id/start', hijacks: true, handle: start },
    { method: 'GET', path: '/exec/:id/json', handle: inspect },
  ];
}

const ExecBody = v.object({
  Cmd: v.pipe(v.array(v.string()), v.minLength(1, 'No exec command specified')),
  Env: v.nullish(v.array(v.string())),
  WorkingDir: v.nullish(v.string()),
  User: v.nullish(v.string()),
  AttachStdin: v.nullish(v.boolean()),
  Tty: v.nullish(v.boolean()),
  /** Height and width. */
  ConsoleSize: v.nullish(v.pipe(v.array(v.pipe(v.number(), v.integer())), v.maxLength(2))),
  Privileged: v.nullish(v.boolean()),
});

const StartBody = v.object({ Detach: v.nullish(v.boolean()) });
