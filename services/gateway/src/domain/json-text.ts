/** A JSON object that is text already: goes out as it stands. */
export class JsonText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }

  read(): Record<string, unknown> {
    // Safe: it is made of an object.
    return JSON.parse(this.text) as Record<string, unknown>;
  }
}
