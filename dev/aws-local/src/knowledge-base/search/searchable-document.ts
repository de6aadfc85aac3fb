import type { DocumentContent, DocumentRecord } from '../store/document-record.ts';
import type { Metadata } from '../types.ts';
import { decodeVector } from '../vectors/encode-vector.ts';
import { indexDocument, type DocumentIndex } from './document-index.ts';

/** A document's content in memory; its index is made when it is first searched or when there is time. */
export class SearchableDocument {
  readonly id: string;
  readonly metadata: Metadata;
  /** Names the version of the text. */
  readonly content: string | undefined;
  readonly #make: () => DocumentIndex;
  #index: DocumentIndex | undefined;

  /** Vectors of another model than `vectorModel` are of no use and left out. */
  constructor(record: DocumentRecord, content: DocumentContent, vectorModel: string | undefined) {
    const { id, uri } = record;
    this.id = id;
    this.content = record.content;
    this.metadata = content.metadata;
    const { metadata, paged, pages, passages } = content;
    const usable = vectorModel !== undefined && content.vectorModel === vectorModel ? content.vectors : undefined;
    const vectors = usable === undefined ? {} : { vectors: usable.map(decodeVector) };
    this.#make = () => indexDocument({ id, uri, metadata, paged, pages, passages, ...vectors });
  }

  get index(): DocumentIndex {
    return (this.#index ??= this.#make());
  }
}
