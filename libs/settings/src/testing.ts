import { loadSettings } from './load.ts';
import type { Settings } from './schema.ts';

type DeepPartial<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: DeepPartial<T[K]> } : T;
export type SettingsOverrides = DeepPartial<Settings>;

function overlay(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (typeof base !== 'object' || base === null || Array.isArray(base)) return over;
  const merged = { ...base } as Record<string, unknown>;
  for (const [key, value] of Object.entries(over as object)) merged[key] = overlay(merged[key], value);
  return merged;
}

/** The development settings with some changed, whatever the environment says: for tests and the bench. */
export function settingsWith(overrides: SettingsOverrides = {}): Settings {
  // Safe: every key of the settings is kept, and each is replaced only by a value of its own type.
  return overlay(loadSettings({}), overrides) as Settings;
}
