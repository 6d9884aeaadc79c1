import { isUp, waitsForGuest } from '../containers/observe.ts';
import type { Context } from '../context.ts';
import type { GuestRecord } from '../../vm/guests.ts';
import type { Container } from '../state/record.ts';

export type DockerState = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead' | 'removing';

/** Docker's word for it; `dead` is a container that cannot go on because its guest ended. */
export function dockerState(ctx: Context, container: Container): DockerState {
  const { phase, lost, state, guest } = container;
  if (phase === 'removing') return 'removing';
  const home = ctx.link.current()?.get(guest ?? '');
  if (lost !== null && isParked(home)) return state.startedAt === 0 ? 'created' : 'exited';
  if (waitsForGuest(container)) return 'restarting';
  if (lost !== null) return 'dead';
  const asleep = isUp(container) && home?.state === 'paused';
  return asleep || (state.status === 'running' && state.paused) ? 'paused' : state.status;
}

/** Somebody has stopped the guest: what is in it is there when it is started. */
function isParked(guest: GuestRecord | undefined): boolean {
  return guest?.state === 'stopped' && guest.reason === null;
}

/** The STATUS column of `docker ps`, with what Docker does not know of in brackets. */
export function statusText(ctx: Context, container: Container, now: number): string {
  const { state, lost, record } = container;
  const oom = state.oomKilled ? ' (OOM)' : '';
  switch (dockerState(ctx, container)) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${duration(now - state.startedAt)}${HEALTH[state.health]}`;
    case 'paused':
      return `Up ${duration(now - state.startedAt)} (Paused)`;
    case 'restarting': {
      const setbacks = ctx.heal.setbacks(record.id);
      const guests = lost === null ? '' : ` (${setbacks > 1 ? `${setbacks} guests` : 'guest'} lost)`;
      return `Restarting (${state.exitCode}) ${duration(now - state.finishedAt)} ago${oom}${guests}`;
    }
    case 'exited':
      return state.startedAt === 0
        ? `Exited (${state.exitCode})`
        : `Exited (${state.exitCode}) ${duration(now - state.finishedAt)} ago${oom}${lost === null ? '' : ' (guest stopped)'}`;
    case 'dead':
      return `Dead (${lost ?? ''})`;
    case 'removing':
      return 'Removal In Progress';
  }
}

const HEALTH = {
  none: '',
  starting: ' (health: starting)',
  healthy: ' (healthy)',
  unhealthy: ' (unhealthy)',
};

/** As https://pkg.go.dev/github.com/docker/go-units#HumanDuration. */
function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / 3600);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(hours / 24);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  return days < 730 ? `${Math.floor(days / 30)} months` : `${Math.floor(days / 365)} years`;
}
