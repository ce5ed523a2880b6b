// Reads and writes JSON as Kusto's `dynamic` holds it: whole numbers are BigInt, other numbers are Number.
//
// It never guesses: a text that is no JSON is an error for the caller to decide upon.

/** A time inside a dynamic value, in ticks. */
export class Instant {
  constructor(ticks) {
    this.ticks = ticks;
  }
}

/** The value of a JSON text; throws when it is none. */
export function parseJson(text) {
  let at = 0;
  const fail = () => {
    throw new SyntaxError(`no JSON at ${at}`);
  };
  const blanks = () => {
    while (/[ \t\r\n]/.test(text[at] ?? "")) at += 1;
  };
  const token = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) fail();
    at += found[0].length;
    return found[0];
  };
  const list = (close, item) => {
    at += 1;
    blanks();
    if (text[at] === close) return void (at += 1);
    for (;;) {
      item();
      blanks();
      if (text[at] === close) return void (at += 1);
      if (text[at] !== ",") fail();
      at += 1;
    }
  };
  const string = () => JSON.parse(token(/"(?:[^"\\\u0000-\u001f]|\\.)*"/y));
  const value = () => {
    blanks();
    const next = text[at];
    if (next === "{") {
      const object = new Map();
      list("}", () => {
        blanks();
        const name = string();
        blanks();
        if (text[at] !== ":") fail();
        at += 1;
        object.set(name, value());
      });
      return object;
    }
    if (next === "[") {
      const array = [];
      list("]", () => array.push(value()));
      return array;
    }
    if (next === '"') return string();
    if (next === "t" || next === "f" || next === "n") return { true: true, false: false, null: null }[token(/true|false|null/y)];
    const number = token(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    return /^-?\d+$/.test(number) ? BigInt(number) : Number(number);
  };
  const result = value();
  blanks();
  if (at < text.length) fail();
  return result;
}

/** The JSON text of a dynamic value, compact, members as they stand. */
export function writeJson(value) {
  if (value === null) return "null";
  if (value instanceof Instant) return JSON.stringify(value.ticks.toString());
  if (Array.isArray(value)) return `[${value.map(writeJson).join(",")}]`;
  if (value instanceof Map) return `{${[...value].map(([name, member]) => `${JSON.stringify(name)}:${writeJson(member)}`).join(",")}}`;
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return Number.isInteger(value) ? value.toFixed(1) : String(value);
  return JSON.stringify(value);
}
