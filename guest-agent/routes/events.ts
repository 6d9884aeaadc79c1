import { constants } from 'node:http2';
import type { AgentEvent } from '../api.ts';
import { recordOf } from '../container/container.ts';
import { respondStream } from './output.ts';
import type { Routes } from './router.ts';

/** Each change of a container, as it happens. */
export const eventRoutes: Routes = {
  'GET /v1/events'({ runtime, stream }) {
    respondStream(stream, 'application/x-ndjson');
    const send = (event: AgentEvent) => stream.write(`${JSON.stringify(event)}\n`);
    send({ type: 'snapshot', containers: [...runtime.containers.values()].map(recordOf) });
    const limit = stream.writableLength + UNREAD_LIMIT;
    stream.once(
      'close',
      runtime.changes.subscribe((change) => {
        // A reader that does not keep up starts over with a new snapshot, instead of filling the guest's memory.
        if (stream.writableLength > limit) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
        else send(change);
      }),
    );
    return undefined;
  },
};

/** Bytes, beyond the snapshot. */
const UNREAD_LIMIT = 1024 * 1024;
