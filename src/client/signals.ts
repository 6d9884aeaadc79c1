import type { Engine } from './connect.ts';

/**
 * Hands this process's signals on to a container, as `docker run` does. PID 1 ignores a signal that it has no handler
 * for, so the third SIGINT or SIGTERM ends the command and leaves the container alone.
 */
export function forwardSignals(engine: Engine, id: string): Disposable {
  let insisted = 0;
  const listeners = FORWARDED.map((signal) => {
    const listener = () => {
      if ((signal === 'SIGINT' || signal === 'SIGTERM') && ++insisted === 3) {
        process.stderr.write(`\nThe container goes on; \`nest rm -f ${id.slice(0, 12)}\` ends it.\n`);
        process.exit(1);
      }
      engine
        .docker((docker) => docker.getContainer(id).kill({ signal }))
        .catch(() => {
          // It has ended already; the wait tells.
        });
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  return {
    [Symbol.dispose]() {
      for (const { signal, listener } of listeners) process.off(signal, listener);
    },
  };
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
