import busboy from 'busboy';
import type { Request } from 'express';
import { ManuelError } from '@manuel/contracts';
import { manualTooLarge } from '../../domain/submit-manual.ts';
import type { ManualFile } from '../../domain/manual-file.ts';

export interface MultipartManual {
  readonly file: ManualFile;
  readonly fields: Readonly<Record<string, string>>;
}

const invalid = (message: string, path = 'file'): ManuelError =>
  new ManuelError('validation_failed', `The form is not valid. ${message}`, { errors: [{ path, message }] });

/**
 * Reads multipart/form-data with exactly one `file` and a few text fields, none of them twice, `maxMb` at most in memory.
 * Throws `validation_failed` (also for a form that is cut off) and `payload_too_large`.
 */
export function readMultipart(request: Request, maxMb: number): Promise<MultipartManual> {
  const maxBytes = maxMb * 1024 * 1024;
  const formOverhead = 64 * 1024;
  if (Number(request.headers['content-length'] ?? 0) > maxBytes + formOverhead) {
    return Promise.reject(manualTooLarge(maxMb));
  }
  return new Promise((resolve, reject) => {
    let file: ManualFile | undefined;
    const fields: Record<string, string> = {};
    let form: busboy.Busboy;
    const fail = (error: ManuelError): void => {
      request.unpipe(form);
      request.resume();
      reject(error);
    };
    try {
      form = busboy({
        headers: request.headers,
        defParamCharset: 'utf8',
        limits: { fileSize: maxBytes, files: 2, fields: 8, fieldSize: 4096, parts: 12, headerPairs: 20 },
      });
    } catch (cause) {
      reject(new ManuelError('validation_failed', 'The form has no boundary.', { cause }));
      return;
    }
    const broken = (cause: Error): void =>
      fail(new ManuelError('validation_failed', 'The form is cut off or malformed.', { cause }));
    form.on('file', (name, stream, info) => {
      // A form that ends too early breaks the file's stream as well as the form.
      stream.on('error', broken);
      if (name !== 'file' || file !== undefined) {
        stream.resume();
        fail(
          name === 'file' ? invalid('Send one file only.') : invalid('The file’s field must be named "file".', name),
        );
        return;
      }
      const chunks: Buffer[] = [];
      file = { filename: info.filename ?? '', contentType: info.mimeType, bytes: Buffer.alloc(0), method: 'multipart' };
      const { filename, contentType, method } = file;
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('limit', () => fail(manualTooLarge(maxMb)));
      stream.on('end', () => {
        file = { filename, contentType, method, bytes: Buffer.concat(chunks) };
      });
    });
    form.on('field', (name, value, info) => {
      if (Object.hasOwn(fields, name)) fail(invalid(`The field ${JSON.stringify(name)} comes twice.`, name));
      else if (info.valueTruncated || info.nameTruncated) fail(invalid('A field is too long.', name));
      else fields[name] = value;
    });
    form.on('filesLimit', () => fail(invalid('Send one file only.')));
    form.on('fieldsLimit', () => fail(invalid('There are too many fields.', 'body')));
    form.on('partsLimit', () => fail(invalid('There are too many parts.', 'body')));
    form.on('error', broken);
    form.on('close', () => {
      if (file) resolve({ file, fields });
      else reject(invalid('The file is missing.'));
    });
    request.once('aborted', () => fail(invalid('The body ended before its announced length.', 'body')));
    request.pipe(form);
  });
}
