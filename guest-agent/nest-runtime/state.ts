import type { Call } from './arguments.ts';
import { type Container, find, statusOf } from './store.ts';
import { rootOf } from '../oci/mounts.ts';

export function state({ options, words }: Call): undefined {
  const container = find(options.root, words[0] ?? '');
  console.log(
    JSON.stringify(
      {
        ...stateOf(container),
        rootfs: rootOf(container.config, container.bundle),
        created: container.created,
        owner: '',
      },
      null,
      2,
    ),
  );
}

/** runtime-spec runtime.md, "State". */
export function stateOf(container: Container, status = statusOf(container)) {
  return {
    ociVersion: '1.2.0',
    id: container.id,
    status,
    ...(status !== 'stopped' && { pid: container.pid }),
    ...(status === 'stopped' && { pid: 0 }),
    bundle: container.bundle,
    annotations: container.config.annotations ?? {},
  };
}
