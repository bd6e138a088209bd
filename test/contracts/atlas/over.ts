// When what was asked for is over, in the words of the door.
export type Told = Readonly<Record<string, unknown>>;

/** Of a restore job, whichever way it ended. */
export const isOver = (json: Told): boolean => json['finishedAt'] !== undefined || json['failed'] === true || json['cancelled'] === true || ((json['deliveryUrl'] as unknown[] | undefined)?.length ?? 0) > 0;

export const isTaken = ({ status }: Told): boolean => status === 'completed' || status === 'failed';

export const isIn = (...states: readonly string[]) => ({ state }: Told): boolean => states.includes(String(state));
