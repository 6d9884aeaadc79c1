import type { Engine } from './connect.ts';
import { Interrupted } from './terminal/interrupt.ts';

/**
 * Hands this process's signals on to a container, as `docker run` does. PID 1 ignores a signal that it has no handler
 * for, so the third SIGINT or SIGTERM ends the command and leaves the container alone.
 *
 * @param until what a signal aborted that came while the container was being started: it is handed on too
 */
export function forwardSignals(engine: Engine, id: string, until: AbortSignal): Disposable {
  let insisted = 0;
  const forward = (signal: NodeJS.Signals) =>
    void engine
      .docker((docker) => docker.getContainer(id).kill({ signal }))
      .catch(() => {
        // It has ended already; the wait tells.
      });
  const listeners = FORWARDED.map((signal) => {
    const listener = () => {
      if ((signal === 'SIGINT' || signal === 'SIGTERM') && ++insisted === 3) {
        process.stderr.write(`\nThe container goes on; \`nest rm -f ${id.slice(0, 12)}\` ends it.\n`);
        process.exit(1);
      }
      forward(signal);
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  if (until.reason instanceof Interrupted) forward(until.reason.signal);
  return {
    [Symbol.dispose]() {
      for (const { signal, listener } of listeners) process.off(signal, listener);
    },
  };
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
