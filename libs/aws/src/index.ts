export * from './client-options.ts';
export * from './s3.ts';
export { contentDisposition } from './s3-presign.ts';
export type { PresignGetInput, PresignPutInput, PresignedUpload } from './s3-presign.ts';
export * from './bedrock-agent-runtime.ts';
export * from './bedrock-runtime.ts';
export * from './bedrock/answer-pieces.ts';
export type { AnswerRequest } from './bedrock/converse-request.ts';
export * from './bedrock-agent.ts';
