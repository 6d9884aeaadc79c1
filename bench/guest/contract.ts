/** What a bench and its driver in the guest agree on. */

/**
 * Name of the virtio-serial port between them. The host writes the name of what is to be measured and a newline, the driver
 * answers with one line of JSON: `{"result": …}` or `{"error": "…"}`.
 */
export const BENCH_PORT = 'nest.bench.0';

/** The layer that the measured containers start from. The disk is found by its serial, so any digest will do. */
export const DIFF_ID = `sha256:${'be'.repeat(32)}`;
export const LAYER_SERIAL = DIFF_ID.slice('sha256:'.length, 'sha256:'.length + 20);

/** What every runtime starts. */
export const COMMAND = ['/bin/echo', 'ready'];
export const ENVIRONMENT = ['PATH=/bin'];
