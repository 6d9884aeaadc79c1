/** What changes the state of a guest: POST /nest/guests/:guest/VERB. */
export type GuestVerb = 'stop' | 'start' | 'reboot' | 'pause' | 'resume';

/** Of all snapshots of a guest, or of one. */
export function snapshotPath(guest: string, name?: string): string {
  const all = `/nest/guests/${encodeURIComponent(guest)}/snapshots`;
  return name === undefined ? all : `${all}/${encodeURIComponent(name)}`;
}
