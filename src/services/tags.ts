// Tags and labels, as they are kept.
import type { Tag } from '../domain/records.ts';
import { keptText } from './storable.ts';

/** @throws TEXT_NOT_STORABLE */
export function keptTags(tags: readonly Tag[]): readonly Tag[] {
  return tags.map(({ key, value }) => ({ key: keptText('tags', key), value: keptText('tags', value) }));
}
