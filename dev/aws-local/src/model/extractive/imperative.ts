const VERBS =
  'press|select|turn|open|go|set|connect|insert|remove|hold|push|pull|use|choose|navigate|move|click|tap|plug|place|put|fill|rinse|wipe|' +
  'clean|switch|adjust|attach|check|enter|install|slide|rotate|run|start|stop|unplug|wait|make|add|pour|empty|replace|close|lift|point|' +
  'download|activate|enable|disable|keep|level|grind|dip|wash|dry|let|take|throw|brush|shake|count|change|lower|raise|warm|grease|knock|' +
  'descale|screw|unscrew|loosen|tighten|align|drain|release|reset|restart|charge|detach|hang|mount|drill|cut|mix|stir|heat|cool|' +
  'store|touch|call|contact|read|measure|test|inspect|lubricate|calibrate|recalibrate|pair|swipe|scroll|type|save|confirm|repeat|do not|never';
const IMPERATIVE = new RegExp(
  `(?:^(?:(?:to|if|when|before|after|once) [^,]{3,80},\\s+)?|[.:;]\\s*|\\d[.)]\\s*|,? (?:and|then|to|or)\\s+)(?:${VERBS})\\b`,
  'i',
);

/** Tells the reader to do something, as the steps of a procedure do. */
export function isImperative(sentence: string): boolean {
  return IMPERATIVE.test(sentence);
}
