/** Kernel command line of every guest. */
export const COMMAND_LINE = [
  'console=ttyS0',
  'quiet',
  // A panicked guest ends at once instead of hanging; the engine sees its domain end.
  'panic=-1',
  'oops=panic',
  // What a virtual machine does not have is not looked for: each probe waits for an answer that never comes.
  'i8042.noaux',
  'i8042.nokbd',
  'i8042.nopnp',
  '8250.nr_uarts=1',
  'no_timer_check',
  // An idle guest sleeps: no watchdog ticks, no callbacks that wake every processor.
  'nowatchdog',
  // Time from the processor, read without a system call. Emulated processors do not say that theirs is steady, though it
  // is, and the kernel would take the HPET, whose every reading leaves the guest.
  'tsc=reliable',
  // The guest has no AppArmor policy to load.
  'apparmor=0',
].join(' ');
