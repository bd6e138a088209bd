// Times as the SDK's users write them: UTC, and nothing that could mean another time.
import { LeafvaultError } from '../../../foundation/errors.ts';
import { unsupported } from './errors.ts';

const TEXT = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(:\d{2})?)?$/;

/** @param doing begins a sentence: `A schedule` @throws TASK_UNSUPPORTED for a zone that is told and is none of UTC's names */
export function requireUtc(zone: string | undefined, doing: string): void {
  if (zone && !/^\(?utc\)?( coordinated universal time)?$/i.test(zone)) throw unsupported(`${doing} in the time zone ${zone}, which is no UTC,`);
}

/** `2026-11-01 12:00:00`, shorter from behind down to the day. @throws ATTRIBUTE_INVALID, for days too that no calendar has: they would roll over */
export function timeOfText(text: string, name: string): Date {
  const [, day, minute = '00:00', second = ':00'] = TEXT.exec(text.trim()) ?? [];
  const time = new Date(`${day}T${minute}${second}Z`);
  if (!Number.isNaN(time.getTime()) && time.toISOString().startsWith(`${day}T`)) return time;
  throw new LeafvaultError('ATTRIBUTE_INVALID', `Reading the body failed: ${name} is no time`, { details: { name } });
}
