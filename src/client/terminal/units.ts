/** `1.5 GiB`, `812 MiB`: at most three digits. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} ${UNITS[unit] ?? ''}`;
}

/** The same for narrow columns: `1.5G`, `812M`. */
export function shortBytes(count: number): string {
  return bytes(count).replace(/ (.).*/, '$1');
}

/** `3m`. @param milliseconds of the duration */
export function shortDuration(milliseconds: number): string {
  return duration(milliseconds).replace(/ (.).*/, '$1');
}

/** `3 minutes`, as in `docker ps`. @param milliseconds of the duration */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [unit, size] = STEPS.findLast(([, size]) => seconds >= size) ?? ['second', 1];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const STEPS: [string, number][] = [
  ['second', 1],
  ['minute', 60],
  ['hour', 3600],
  ['day', 86_400],
  ['year', 365 * 86_400],
];
