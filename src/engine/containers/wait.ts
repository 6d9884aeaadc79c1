import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { isUp } from './observe.ts';

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** @returns how it ended: exit code, and the error of a container whose guest ended under it. */
export function waitContainer(
  ctx: Context,
  container: Container,
  condition: WaitCondition,
  signal: AbortSignal,
): Promise<{ exitCode: number; error: string | null }> {
  const { id } = container.record;
  let last = container;
  const result = () => ({ exitCode: last.state.exitCode, error: last.lost });
  if (condition === 'not-running' && !isUp(container)) return Promise.resolve(result());
  const { promise, resolve, reject } = Promise.withResolvers<ReturnType<typeof result>>();
  const end = ctx.events.on((event) => {
    if (event.id !== id) return;
    last = ctx.state.containers.get(id) ?? last;
    const met =
      event.action === 'destroy' ||
      (event.action === 'die' && (condition === 'next-exit' || (condition === 'not-running' && !isUp(last))));
    if (met) resolve(result());
  });
  const cancel = () => reject(new NestError('cancelled', `wait for container \`${container.record.name}\`: cancelled`));
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  return promise.finally(() => {
    end();
    signal.removeEventListener('abort', cancel);
  });
}
