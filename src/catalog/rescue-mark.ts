// The setting that stands while a rescue is under way.

/** No service may begin on a catalog that has it. */
export const RESCUE_MARK = 'rescue';
