import type { ManualRow } from '@manuel/ledger';

/**
 * The metadata file that Bedrock reads beside a manual; retrieval is narrowed by `user_id` and `manual_id`.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/kb-metadata.html
 */
export function sidecarOf(
  row: Pick<ManualRow, 'user_id' | 'manual_id' | 'filename' | 'created_at' | 'upload_method' | 'source_url'>,
  format: string,
): string {
  return JSON.stringify({
    metadataAttributes: {
      user_id: row.user_id,
      uploaded_by: row.user_id,
      manual_id: row.manual_id,
      original_filename: row.filename,
      upload_timestamp: new Date(row.created_at).toISOString(),
      upload_method: row.upload_method,
      file_type: format,
      ...(row.source_url === undefined ? {} : { source_url: row.source_url }),
    },
  });
}
