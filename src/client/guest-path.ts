/** What changes the state of a guest: POST /nest/guests/:guest/VERB. */
export type GuestVerb = 'stop' | 'start' | 'reboot' | 'pause' | 'resume';

/** Of a guest, or of something of it. */
export function guestPath(guest: string, part: string): string {
  return `/nest/guests/${encodeURIComponent(guest)}/${part}`;
}

/** Of all snapshots of a guest, or of one. */
export function snapshotPath(guest: string, name?: string): string {
  const all = guestPath(guest, 'snapshots');
  return name === undefined ? all : `${all}/${encodeURIComponent(name)}`;
}
