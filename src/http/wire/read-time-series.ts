// Our own header of the calls that make a restore: what to do with a time series that is still there.
import type { IncomingHttpHeaders } from 'node:http';
import { TIME_SERIES_CHOICES, type TimeSeriesChoice } from '../../domain/records.ts';
import { LeafvaultError } from '../../foundation/errors.ts';

const HEADER = 'Leafvault-Time-Series';

/** Undefined: not sent, and the setting `restore.timeSeries` counts. @throws QUERY_INVALID */
export function readTimeSeries(headers: IncomingHttpHeaders): TimeSeriesChoice | undefined {
  const value = headers[HEADER.toLowerCase()];
  const choice = TIME_SERIES_CHOICES.find((each) => each === value);
  if (choice !== undefined || value === undefined) return choice;
  throw new LeafvaultError('QUERY_INVALID', `Reading the header ${HEADER} failed: it must be ${TIME_SERIES_CHOICES.join(', ')}`, { details: { name: HEADER, value } });
}
