import type { ManualFormat } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import { safeFilename } from './manual-names.ts';

const stagingPrefix = 'uploads';
export const sidecarSuffix = '.metadata.json';

/**
 * Where bytes wait until the ingest worker has checked them: in `storage.audio_bucket`, the transient bucket, which a lifecycle
 * rule empties and no data source scans. `id` is the upload's or the manual's.
 */
export const stagingKey = (userId: string, id: string): string => `${stagingPrefix}/${userId}/${id}`;

/** Whether a staging key is this user's own. */
export const isOwnStagingKey = (userId: string, key: string): boolean =>
  key.startsWith(`${stagingPrefix}/${userId}/`) && !key.includes('/../') && !key.endsWith('/..');

type Storage = Pick<Settings['storage'], 'manuals_prefix'>;

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
