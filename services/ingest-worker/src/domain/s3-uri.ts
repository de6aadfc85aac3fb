/** How the knowledge base names an object. */
export const s3Uri = (bucket: string, key: string): string => `s3://${bucket}/${key}`;
