import { expect, test } from '@jest/globals';
import { environments, loadSettings, settingLeaves, SettingsError } from './load.ts';

test.each(environments())('config/%s.json is valid and complete', (name) => {
  expect(() => loadSettings({ MANUEL_ENV: name })).not.toThrow();
});

test('the values that users know', () => {
  const development = loadSettings({});
  const production = loadSettings({ MANUEL_ENV: 'production' });
  const claude4 = loadSettings({ MANUEL_ENV: 'claude4' });
  expect([development.quota.daily_limit, production.quota.daily_limit, claude4.quota.daily_limit]).toEqual([
    50, 100, 30,
  ]);
  expect([development.quota.monthly_limit, claude4.quota.monthly_limit]).toEqual([1000, 500]);
  expect([development.cache.answers.ttl_s, production.cache.answers.ttl_s]).toEqual([900, 86_400]);
  expect(development.models.text_model_id).toBe('anthropic.claude-3-5-sonnet-20241022-v2:0');
});

test('a variable overlays the file, whatever its type', () => {
  const settings = loadSettings({
    QUOTA_DAILY_LIMIT: '7',
    CACHE_ENABLED: 'false',
    IP_ALLOWLIST: '10.0.0.0/8, ::1',
    PORT: '4000',
    DEGRADATION_MAX_FAILURE_RATE: '0.2',
  });
  expect(settings.quota.daily_limit).toBe(7);
  expect(settings.cache.enabled).toBe(false);
  expect(settings.ip_allowlist).toEqual(['10.0.0.0/8', '::1']);
  const asJson = loadSettings({ CORS_ORIGINS: '["https://a.example", "https://b.example"]' });
  expect(asJson.cors.origins).toEqual(['https://a.example', 'https://b.example']);
  expect(() => loadSettings({ CORS_ORIGINS: '[1]' })).toThrow('CORS_ORIGINS');
  expect(settings.http.port).toBe(4000);
  expect(settings.degradation.max_failure_rate).toBe(0.2);
});

test('each fault is one line with the variable, what was given and what is allowed', () => {
  const wrong = { QUOTA_DAILY_LIMIT: 'many', SECURITY_HMAC: 'maybe', REDIS_URL: 'http://x', PORT: '99999' };
  const faults = faultsOf(wrong);
  expect(faults).toHaveLength(4);
  expect(faults.find((line) => line.startsWith('QUOTA_DAILY_LIMIT'))).toContain(
    'given "many", allowed: a whole number from 0',
  );
  expect(faults.find((line) => line.startsWith('SECURITY_HMAC'))).toContain('allowed: off, optional, required');
  expect(faults.find((line) => line.startsWith('PORT (http.port)'))).toContain('from 0 to 65535');
});

test('an unknown environment names those there are', () => {
  expect(faultsOf({ MANUEL_ENV: '../secrets' })[0]).toContain('development');
});

test('every leaf has a description and a variable of its own', () => {
  const leaves = settingLeaves();
  expect(leaves.filter((leaf) => !leaf.schema.description).map((leaf) => leaf.variable)).toEqual([]);
  expect(new Set(leaves.map((leaf) => leaf.variable)).size).toBe(leaves.length);
});

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
  throw new Error('the settings were accepted');
}
