// Reading one cookie out of a Cookie header.

/** The value of the first cookie of this name, without quotes; undefined where the header has none. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  let start = 0;
  while (start < header.length) {
    const end = header.indexOf(';', start);
    const stop = end < 0 ? header.length : end;
    const equals = header.indexOf('=', start);
    if (equals >= 0 && equals < stop && header.slice(start, equals).trim() === name) {
      const value = header.slice(equals + 1, stop).trim();
      return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
    start = stop + 1;
  }
  return undefined;
}
