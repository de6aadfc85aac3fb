import type { DocumentStatus, DocumentText, Metadata } from '../types.ts';

/** What is known of a document apart from its text; one small file each, replaced at every change of status. */
export interface DocumentRecord {
  readonly id: string;
  readonly uri: string;
  /** Where its metadata is read from: the sidecar beside it, or the object that the request named. */
  readonly metadataUri: string;
  readonly status: DocumentStatus;
  readonly statusReason?: string;
  /** RFC 3339. */
  readonly updatedAt: string;
  /** Names the searchable content on disk; absent until the document was indexed once. */
  readonly content?: string;
  /** SHA-256 of the object and its metadata as last indexed; ingestion jobs skip what has not changed. */
  readonly objectHash?: string;
  readonly metadataHash?: string;
}

export interface DocumentContent extends DocumentText {
  readonly metadata: Metadata;
  /** Base64 of little-endian 32-bit floats, one vector a passage. */
  readonly vectors?: readonly string[];
  /** The model that made them. */
  readonly vectorModel?: string;
}
