export * from './client-options.ts';
export * from './s3.ts';
export { contentDisposition } from './s3-presign.ts';
export type { PresignGetInput, PresignPutInput, PresignedUpload } from './s3-presign.ts';
