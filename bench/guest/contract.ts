/** What a bench and its driver in the guest agree on. */

/** Begins the console line that holds the samples. */
export const REPORT_MARK = 'nest-bench: ';

/** The layer that the measured containers start from. The disk is found by its serial, so any digest will do. */
export const DIFF_ID = `sha256:${'be'.repeat(32)}`;
export const LAYER_SERIAL = DIFF_ID.slice('sha256:'.length, 'sha256:'.length + 20);
