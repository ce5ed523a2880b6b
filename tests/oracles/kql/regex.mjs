// Regular expressions of the engine (RE2) as those of JavaScript, or an error where the two could differ.

const cache = new Map();

/** The regular expression of a pattern. */
export function regexOf(pattern) {
  let found = cache.get(pattern);
  if (!found) cache.set(pattern, (found = translated(pattern)));
  return found;
}

function translated(pattern) {
  let flags = "u";
  let rest = pattern;
  const leading = /^\(\?([is]+)\)/.exec(pattern);
  if (leading) {
    flags += [...new Set(leading[1])].join("");
    rest = pattern.slice(leading[0].length);
  }
  let out = "";
  let inClass = false;
  for (let at = 0; at < rest.length; at += 1) {
    const character = rest[at];
    if (character === "\\") {
      at += 1;
      const [text, length] = escaped(rest, at, inClass);
      out += text;
      at += length - 1;
      continue;
    }
    if (character === "[" && !inClass) inClass = true;
    else if (character === "]" && inClass) inClass = false;
    if (character === "(" && rest[at + 1] === "?" && rest[at + 2] !== ":") throw new Error(`a group in ${pattern}`);
    // RE2 takes it for the very end, and so does JavaScript without the flag `m`.
    out += character;
  }
  return new RegExp(out, flags);
}

/** What stands behind a backslash, and how many characters it is. */
function escaped(text, at, inClass) {
  const next = text[at];
  if (next === "A" && !inClass) return ["^", 1];
  if (next === "z" && !inClass) return ["$", 1];
  if (next === "x" && text[at + 1] === "{") {
    const end = text.indexOf("}", at);
    return [`\\u${text.slice(at + 1, end + 1)}`, end - at + 1];
  }
  // JavaScript counts further blanks.
  if (next === "s") return [inClass ? "\\t\\n\\f\\r " : "[\\t\\n\\f\\r ]", 1];
  if (next === "S" && !inClass) return ["[^\\t\\n\\f\\r ]", 1];
  if ("dDwWntrfv".includes(next)) return [`\\${next}`, 1];
  if ("^$\\.*+?()[]{}|/".includes(next) || (next === "-" && inClass)) return [`\\${next}`, 1];
  if (/[!-/:-@[-`{-~]/.test(next)) return [next, 1];
  throw new Error(`\\${next} in a regular expression`);
}
