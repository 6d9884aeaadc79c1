import koffi from 'koffi';
import * as v from 'valibot';
import { NestError } from '../errors.ts';
import { libvirt } from './ffi.ts';

/** A failed call as it travels between threads. `code` and `domain` are virErrorNumber and virErrorDomain, virterror.h. */
export interface Failure {
  /** Operation and object: "start domain `x`". */
  operation: string;
  message: string;
  code: number;
  domain: number;
  /** The connection is gone, or never came to be. */
  disconnected: boolean;
}

/** Thrown on the threads that call libvirt. */
export class LibvirtError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(`${failure.operation}: ${failure.message}`);
    this.failure = failure;
  }
}

/** The error of the call that has just failed: libvirt keeps it per thread, so it must be read on the thread that called. */
export function lastFailure(operation: string, disconnected = false): LibvirtError {
  const error = libvirt().virGetLastError();
  const { code, domain, message } = error === null ? NO_ERROR : v.parse(VirError, koffi.decode(error, libvirt().error));
  // libvirt's texts may span lines, e.g. QEMU's own words.
  const line = (message ?? 'unknown error').replace(/\s*\n\s*/g, ' ').trim();
  return new LibvirtError({ operation, message: line, code, domain, disconnected });
}

export function toNestError(failure: Failure): NestError {
  const cause = new LibvirtError(failure);
  const message = cause.message;
  if (!failure.disconnected) return new NestError('libvirt', message, { cause });
  return new NestError('libvirt-unavailable', message, { cause, hint: connectionHint(failure) });
}

function connectionHint({ message, code }: Failure): string {
  // Without polkit nobody can tell libvirtd that this user may.
  if (
    /permission denied|polkit|system bus connection/i.test(message) ||
    code === VIR_ERR_AUTH_FAILED ||
    code === VIR_ERR_AUTH_UNAVAILABLE
  )
    return 'Join the group `libvirt` (usermod -aG libvirt USER, then log in again), or use qemu:///session.';
  return 'Is libvirtd running? `systemctl start libvirtd`, or without systemd `virtlogd -d && libvirtd -d`. `nest doctor` checks it.';
}

const VirError = v.object({ code: v.number(), domain: v.number(), message: v.nullable(v.string()) });
const NO_ERROR = { code: 0, domain: 0, message: null };

/** virterror.h, virErrorNumber. */
export const VIR_ERR_NO_DOMAIN = 42;
export const VIR_ERR_OPERATION_INVALID = 55;
export const VIR_ERR_NO_DOMAIN_METADATA = 80;
const VIR_ERR_AUTH_FAILED = 45;
const VIR_ERR_AUTH_UNAVAILABLE = 79;
