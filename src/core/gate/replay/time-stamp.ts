// Times as logs write them, to seconds since the epoch, without a clock or a time zone database.

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** 10/Oct/2000:13:55:36 -0700, or with milliseconds and without a zone as HAProxy writes it. */
const logTime = /(\d{2})\/([A-Za-z]{3})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}(?:\.\d+)?)(?: ([+-])(\d{2})(\d{2}))?/;

/** 2000-10-10T13:55:36.123Z, with an offset, or without any zone; a blank may stand for the T. */
const isoTime = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2}(?:\.\d+)?)(?:Z|([+-])(\d{2}):?(\d{2}))?$/;

/** Seconds since the epoch of the first log time in a line; undefined when there is none. A missing zone counts as UTC. */
export function findLogTime(line: string): number | undefined {
  const match = logTime.exec(line);
  if (match === null) return undefined;
  const [, day, month = '', year, hour, minute, second, sign, zoneHours, zoneMinutes] = match;
  const index = months.indexOf(month.toLowerCase());
  if (index === -1) return undefined;
  return secondsOf([year, index + 1, day, hour, minute, second]) - zone(sign, zoneHours, zoneMinutes);
}

/** Seconds since the epoch of a column: a number of seconds or, above 100 billion, of milliseconds; or an ISO time. */
export function parseTime(text: string): number | undefined {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number)) return number > 1e11 ? number / 1000 : number;
  const match = isoTime.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, sign, zoneHours, zoneMinutes] = match;
  return secondsOf([year, month, day, hour, minute, second]) - zone(sign, zoneHours, zoneMinutes);
}

function secondsOf(parts: readonly (string | number | undefined)[]): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  return daysSinceEpoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
}

const zone = (sign: string | undefined, hours: string | undefined, minutes: string | undefined): number =>
  sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);

/** Days from 1 January 1970 to a date of the Gregorian calendar; years begin in March, so that the leap day comes last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const century = Math.floor(shifted / 400);
  const yearOfCentury = shifted - century * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfCentury =
    yearOfCentury * 365 + Math.floor(yearOfCentury / 4) - Math.floor(yearOfCentury / 100) + dayOfYear;
  return century * 146_097 + dayOfCentury - 719_468;
}
