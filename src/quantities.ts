/** Bytes: a number with b, k, m, g or t, in powers of 1024, as Docker reads them ("512m", "1.5gb", "64MiB"). Undefined for no size. */
export function readSize(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgt]?)i?b?$/i.exec(text) ?? [];
  if (count === undefined) return undefined;
  return Math.floor(Number(count) * 1024 ** ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase()));
}

/** Milliseconds, of a duration as Go writes them ("10s", "1m30s", "1.5h"): https://pkg.go.dev/time#ParseDuration. Undefined for none. */
export function readDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/([\d.]+)([a-zµ]+)/g)];
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (MILLISECONDS[unit] ?? NaN), 0);
}

const MILLISECONDS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
