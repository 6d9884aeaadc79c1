import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition that nothing announces. `what` names it in the error that comes after `seconds`. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, seconds = 30): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await delay(100);
  }
}
