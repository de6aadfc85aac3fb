import type { ManualFormat } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import { safeFilename } from './manual-names.ts';

export const sidecarSuffix = '.metadata.json';

type Storage = Pick<Settings['storage'], 'manuals_prefix'>;
type Staging = Pick<Settings['storage'], 'uploads_prefix'>;

/**
 * Bytes wait here until the ingest worker has checked them: in `storage.manuals_bucket`, outside the prefix that the data
 * source scans.
 */
export const stagingPrefix = (storage: Staging, userId: string): string => `${storage.uploads_prefix}/${userId}/`;

/** Whether a staging key is this user's own. */
export const isOwnStagingKey = (storage: Staging, userId: string, key: string): boolean =>
  key.startsWith(stagingPrefix(storage, userId)) && !key.split('/').includes('..');

/** Everything stored of one manual lies under this. */
export const manualPrefix = (storage: Storage, userId: string, manualId: string): string =>
  `${storage.manuals_prefix}/${userId}/${manualId}/`;

/** `<prefix>/<user>/<manual>/<file>` in `storage.manuals_bucket`. */
export const manualKey = (
  storage: Storage,
  owner: { readonly userId: string; readonly manualId: string },
  filename: string,
  format: ManualFormat,
): string => manualPrefix(storage, owner.userId, owner.manualId) + safeFilename(filename, format);

/** The metadata file that names a stored manual's owner; Bedrock reads it beside the object. */
export const sidecarKey = (key: string): string => `${key}${sidecarSuffix}`;

/** Owner and manual of a key under the prefix; undefined for anything that is not `<prefix>/<user>/<manual>/<file>`. */
export function parseManualKey(
  storage: Storage,
  key: string,
): { readonly userId: string; readonly manualId: string } | undefined {
  const prefix = `${storage.manuals_prefix}/`;
  if (!key.startsWith(prefix)) return undefined;
  const [userId = '', manualId = '', file = '', ...rest] = key.slice(prefix.length).split('/');
  const wellFormed = /^[A-Za-z0-9_-]{1,128}$/.test(userId) && manualId.startsWith('man_') && file !== '';
  return wellFormed && rest.length === 0 ? { userId, manualId } : undefined;
}
