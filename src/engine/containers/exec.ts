import * as v from 'valibot';
import { ExecState, type TerminalSize } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { agentOf } from './agent.ts';
import { checkedFrames } from './frames.ts';
import { isUp } from './observe.ts';
import type { AttachedStreams } from './output.ts';

export interface ExecRequest {
  argv: string[];
  /** Added to the container's. */
  env: string[];
  /** Null for the container's. */
  workingDirectory: string | null;
  user: string | null;
  stdin: boolean;
  /** A terminal of this size at first, in place of the three streams. */
  terminal: TerminalSize | null;
}

/** A further process of a container, made by exec. */
export interface ExecSession {
  id: string;
  containerId: string;
  request: ExecRequest;
}

/** Sessions of one run of the engine; the oldest are forgotten. */
export interface ExecSessions {
  create(container: Container, request: ExecRequest): Promise<ExecSession>;
  /** @throws NestError `not-found`. */
  find(id: string): ExecSession;
  start(session: ExecSession, signal: AbortSignal): Promise<AttachedStreams>;
  resize(session: ExecSession, size: TerminalSize): Promise<void>;
  state(session: ExecSession): Promise<ExecState>;
}

export function execSessions(ctx: Context): ExecSessions {
  const sessions = new Map<string, ExecSession>();
  const agentFor = (session: ExecSession) => agentOf(ctx, ctx.state.containers.find(session.containerId));
  return {
    async create(container, request) {
      const { id: containerId, name, spec } = container.record;
      if (!isUp(container))
        throw new NestError('conflict', `container ${name} is not running`, { hint: `nest ps -a shows why` });
      const agent = await agentOf(ctx, container);
      const body = {
        argv: request.argv,
        env: [...spec.env, ...request.env],
        cwd: request.workingDirectory ?? spec.cwd,
        user: request.user ?? spec.user,
        stdin: request.stdin,
        ...(request.terminal && { terminal: request.terminal }),
      };
      const path = `/v1/containers/${containerId}/exec`;
      const { execId } = await agent.request({ method: 'POST', path, body }, ExecCreated);
      const session = { id: execId, containerId, request };
      sessions.set(execId, session);
      const [oldest] = sessions.keys();
      if (sessions.size > SESSION_LIMIT && oldest !== undefined) sessions.delete(oldest);
      return session;
    },
    find(id) {
      const session = sessions.get(id);
      if (session !== undefined) return session;
      throw new NestError('not-found', `No such exec instance: ${id.slice(0, 128)}`);
    },
    async start(session, signal) {
      const agent = await agentFor(session);
      const input = await agent.open({ method: 'POST', path: `/v1/exec/${session.id}/start`, signal });
      const raw = session.request.terminal !== null;
      const output = ctx.streams.add(session.containerId, checkedFrames(input, BOTH, !raw));
      return { output, input, raw };
    },
    async resize(session, size) {
      const agent = await agentFor(session);
      await agent.send({ method: 'POST', path: `/v1/exec/${session.id}/resize`, body: size });
    },
    async state(session) {
      const agent = await agentFor(session);
      return agent.request({ method: 'GET', path: `/v1/exec/${session.id}` }, ExecState);
    },
  };
}

/** Becomes part of paths and is shown to clients: as strict as it can be. */
const ExecCreated = v.object({ execId: v.pipe(v.string(), v.regex(/^[0-9A-Za-z-]{1,64}$/)) });

const BOTH = { stdout: true, stderr: true };

const SESSION_LIMIT = 1024;
