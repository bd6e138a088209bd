// The schedule as one number for each frequency: the form of Ops Manager and of Atlas's legacy backup. It is a view: what it
// can't say stays as it is (docs/design/schedules.md, "The form with one retention for each frequency").
import { longestDays, type FrequencyType, type PolicyItem, type Retention } from './retention.ts';
import { broken, LAST_DAY } from './schedule.ts';

/** 0: there is no item of that frequency. */
export interface Tiers {
  /** Between the most frequent snapshots, those of the hourly item. */
  readonly intervalHours: number;
  /** How long those are kept. */
  readonly retentionDays: number;
  readonly dailyDays: number;
  readonly weeklyWeeks: number;
  readonly monthlyMonths: number;
}

/** An item that is new has no id yet. */
export type TieredItem = Omit<PolicyItem, 'id'> & { readonly id?: string | undefined };

type Tier = 'dailyDays' | 'weeklyWeeks' | 'monthlyMonths';

/** Of each tier its frequency, the unit that it counts in, and when a new item of it is due: as in the vendor's default. */
const TIERS: Readonly<Record<Tier, { readonly frequency: FrequencyType; readonly unit: 'days' | 'weeks' | 'months'; readonly interval: number }>> = {
  dailyDays: { frequency: 'daily', unit: 'days', interval: 1 },
  weeklyWeeks: { frequency: 'weekly', unit: 'weeks', interval: 6 },
  monthlyMonths: { frequency: 'monthly', unit: 'months', interval: LAST_DAY },
};

/** Of a new hourly item: that of the default schedule. */
const DEFAULT_DAYS = 7;
const DAYS_OF = { days: 1, weeks: 7, months: 31 } as const;

/** Of several items of one frequency the one that keeps longest counts. */
export function tiersOf(items: readonly PolicyItem[]): Tiers {
  const kept = (frequency: FrequencyType, unit: keyof typeof DAYS_OF): number => Math.max(0, ...items.filter((item) => item.frequencyType === frequency).map((item) => countIn(item, unit)));
  return {
    intervalHours: items.find((item) => item.frequencyType === 'hourly')?.frequencyInterval ?? 0,
    retentionDays: kept('hourly', 'days'),
    dailyDays: kept('daily', 'days'),
    weeklyWeeks: kept('weekly', 'weeks'),
    monthlyMonths: kept('monthly', 'months'),
  };
}

/** Whole units, never more than are kept for certain, and at least one. */
function countIn({ retentionUnit, retentionValue }: Retention, unit: keyof typeof DAYS_OF): number {
  if (retentionUnit === unit) return retentionValue;
  if (retentionUnit === 'years' && unit === 'months') return 12 * retentionValue;
  return Math.max(1, Math.floor(longestDays({ retentionUnit, retentionValue }) / DAYS_OF[unit]));
}

/**
 * The items after a change of tiers. A number that is what the tiers say already changes nothing, so that what was read can be sent
 * back; 0 takes a tier away; another number goes to all items of its frequency, whose intervals stay.
 * @throws SCHEDULE_INVALID: a retention of an hourly item that is not there, without its interval
 */
export function withTiers(items: readonly PolicyItem[], change: Partial<Tiers>): readonly TieredItem[] {
  const now = tiersOf(items);
  const changed = (tier: keyof Tiers): number | undefined => (change[tier] === now[tier] ? undefined : change[tier]);
  const others = (Object.keys(TIERS) as Tier[]).reduce<readonly TieredItem[]>((all, tier) => withTier(all, tier, changed(tier)), items);
  return withHourly(others, changed('intervalHours'), changed('retentionDays'));
}

function withHourly(items: readonly TieredItem[], interval: number | undefined, days: number | undefined): readonly TieredItem[] {
  if (interval === undefined && days === undefined) return items;
  const old = items.find(({ frequencyType }) => frequencyType === 'hourly');
  if (old === undefined) {
    if (interval === undefined) throw broken('items', 'there is no hourly item: its interval is needed, too', days);
    // As long as unless told, no longer than what is rarer is kept.
    const retentionValue = days ?? Math.min(DEFAULT_DAYS, ...items.map((item) => longestDays(item)));
    return [{ frequencyType: 'hourly', frequencyInterval: interval, retentionUnit: 'days', retentionValue }, ...items];
  }
  const news = { ...old, ...(interval === undefined ? {} : { frequencyInterval: interval }), ...(days === undefined ? {} : { retentionUnit: 'days' as const, retentionValue: days }) };
  return items.map((item) => (item === old ? news : item));
}

function withTier(items: readonly TieredItem[], tier: Tier, value: number | undefined): readonly TieredItem[] {
  if (value === undefined) return items;
  const { frequency, unit, interval } = TIERS[tier];
  const retention = { retentionUnit: unit, retentionValue: value };
  if (value === 0) return items.filter(({ frequencyType }) => frequencyType !== frequency);
  if (items.some(({ frequencyType }) => frequencyType === frequency)) return items.map((item) => (item.frequencyType === frequency ? { ...item, ...retention } : item));
  return [...items, { frequencyType: frequency, frequencyInterval: interval, ...retention }];
}
