/** A manual that came in the body of a request. */
export interface ManualFile {
  readonly filename: string;
  /** As the client named it; the bytes decide. */
  readonly contentType: string;
  readonly bytes: Buffer;
  readonly method: 'body' | 'multipart';
}
