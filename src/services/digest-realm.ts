// Stands here because keys are stored as MD5 of `public:realm:private`: another realm makes every key worthless.

/** The realm of Atlas and Ops Manager; clients show it and compute with it. */
export const DIGEST_REALM = 'MMS Public API';
