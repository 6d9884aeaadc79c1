import * as Flags from '@oclif/core/flags';
import { NestCommand } from '../client/terminal/command.ts';
import type { Finding } from '../doctor/examine.ts';
import type { Mended } from '../doctor/mend.ts';

interface Report {
  ok: boolean;
  checks: { id: string; what: string; why: string; status: string; detail: string; hint: string | null }[];
  mended: Mended[];
}

export default class Doctor extends NestCommand {
  static override summary = 'Check what nest needs of this host';
  static override description = [
    'Checks programs, libvirt, KVM, memory, disk and the guest image, and says how to mend what fails; exits with 1 then.',
    '--fix mends what it can: starts virtlogd and libvirtd where no init system does, opens /dev/kvm to its group. It',
    'never installs packages.',
  ].join(' ');
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --fix'];
  static override flags = {
    fix: Flags.boolean({ summary: 'Mend what can be mended, and check again', env: 'NEST_DOCTOR_FIX' }),
  };

  async run(): Promise<Report> {
    const { flags } = await this.parse(Doctor);
    const [{ examine }, { hostProbes }, { mend }, { formatReport }] = await Promise.all([
      import('../doctor/examine.ts'),
      import('../doctor/probes.ts'),
      import('../doctor/mend.ts'),
      import('../doctor/report.ts'),
    ]);
    const probes = hostProbes();
    const check = () => this.withStep('Checking this host', () => examine(probes));
    let findings = await check();
    const mended = flags.fix ? await mend(findings) : [];
    for (const { command, error } of mended)
      this.print(`Mended: ${command}${error === null ? '' : `: failed: ${error}`}`);
    if (mended.length > 0) findings = await check();
    this.print(formatReport(findings));
    const ok = findings.every(({ status }) => status !== 'failed');
    if (!ok) process.exitCode = 1;
    return { ok, mended, checks: findings.map(toData) };
  }
}

function toData({ check: { id, what, why }, status, detail, hint }: Finding): Report['checks'][number] {
  return { id, what, why, status, detail, hint: hint ?? null };
}
