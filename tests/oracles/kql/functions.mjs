// The scalar functions that read nothing but their arguments.
//
// Each entry takes the arguments' types and gives a function of the choices and the arguments' values. What an
// entry does not know of (a type, a number of arguments) is an error at compile time.

import { inIpv4, inIpv6, ipv4, ipv6 } from "./addresses.mjs";
import { Instant, parseJson } from "./json.mjs";
import { regexOf } from "./regex.mjs";
import { checked, dayOfWeek, floorDivide, identity, startOfDay, textFrom, ticksOf, toDynamic, TICKS_PER_MILLISECOND } from "./values.mjs";

const HOUR = 36_000_000_000n;

/** Refuses arguments of other types; a type may be a list of types. */
function typed(types, ...wanted) {
  const fits = (type, one) => (Array.isArray(one) ? one.includes(type) : one === type);
  if (types.length !== wanted.length || !types.every((type, index) => fits(type, wanted[index]))) {
    throw new Error(`arguments (${types.join(", ")}) instead of (${wanted.join(", ")})`);
  }
}

/** A function of one number that is null for null. */
function real(compute) {
  return (types) => {
    typed(types, [...REALS]);
    return (choices, value) => (value === null ? null : compute(Number(value)));
  };
}

const REALS = ["real", "long", "int"];
const NOTHING = (value) => value === null || value === "";

function each(types, type) {
  typed(types, ...types.map(() => type));
}

/** Text, or a leaf of a dynamic value, as a number; `read` takes a text. */
function number(read, whole) {
  return (types) => {
    typed(types, ["string", "dynamic", "long", "int", "real", "bool"]);
    return (choices, value) => {
      if (value === null || typeof value === "object") return null;
      if (typeof value === "boolean") return whole ? BigInt(value) : Number(value);
      if (typeof value === "bigint") return whole ? value : Number(value);
      if (typeof value === "number") return whole ? BigInt(Math.trunc(value)) : value;
      return read(value, choices);
    };
  };
}

function readLong(text, choices) {
  if (/^-?\d+$/.test(text)) return BigInt.asIntN(64, BigInt(text)) === BigInt(text) ? BigInt(text) : null;
  return choices.readsLoosely && /^\s*[+-]?\d+(\.\d*)?\s*$/.test(text) ? BigInt(Math.trunc(Number(text))) : null;
}

function readReal(text, choices) {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return choices.readsLoosely && text.trim() !== "" && !Number.isNaN(Number(text)) ? Number(text) : null;
}

function readBool(text, choices) {
  if (text === "true" || text === "false") return text === "true";
  const folded = text.toLowerCase();
  return choices.readsLoosely && (folded === "true" || folded === "false") ? folded === "true" : null;
}

function text(compute) {
  return (types) => {
    typed(types, "string");
    return (choices, value) => compute(value);
  };
}

function networks(read, inside) {
  return (types) => {
    if (types.length < 2) throw new Error("a range is missing");
    each(types.slice(0, 1), "string");
    if (types.length === 2 && types[1] === "dynamic") {
      return (choices, address, ranges) => any(read, inside, address, ranges);
    }
    each(types, "string");
    return (choices, address, ...ranges) => any(read, inside, address, ranges);
  };
}

function any(read, inside, address, ranges) {
  return read(address) === null ? null : ranges.some((range) => inside(address, range));
}

function network(inside) {
  return (types) => {
    typed(types, "string", "string");
    return (choices, address, range) => inside(address, range);
  };
}

/** Whether a value is there: no null, and no empty text. */
function present(wanted) {
  return (types) => {
    if (types.length !== 1) throw new Error("one argument");
    return (choices, value) => (textOrEmpty(types[0], value) !== "") === wanted;
  };
}

function textOrEmpty(type, value) {
  if (value === null) return "";
  return type === "string" || typeof value === "string" ? value : "something";
}

function moment(compute) {
  return (types) => {
    typed(types, "datetime");
    return (choices, value) => (value === null ? null : compute(value));
  };
}

/** A time that is counted from 1970 in units of so many ticks. */
function epoch(ticks) {
  return (types) => {
    typed(types, ["long", "int"]);
    return (choices, value) => (value === null ? null : checked(value * ticks));
  };
}

export const FUNCTIONS = {
  // texts
  tostring: (types) => {
    if (types.length !== 1) throw new Error("one argument");
    return (choices, value) => textFrom(types[0], value);
  },
  tolower: text((value) => value.toLowerCase()),
  toupper: text((value) => value.toUpperCase()),
  strlen: text((value) => BigInt([...value].length)),
  strcat: (types) => (choices, ...values) => values.map((value, index) => textFrom(types[index], value)).join(""),
  split: (types) => {
    typed(types, "string", "string");
    return (choices, value, delimiter) => value.split(delimiter);
  },
  replace_string: (types) => {
    typed(types, "string", "string", "string");
    return (choices, value, from, to) => value.split(from).join(to);
  },
  extract: (types) => {
    typed(types, "string", ["long", "int"], "string");
    return (choices, pattern, group, value) => regexOf(pattern).exec(value)?.[Number(group)] ?? "";
  },
  isempty: present(false),
  isnotempty: present(true),

  // nulls
  isnull: (types) => (choices, value) => types[0] !== "string" && value === null,
  isnotnull: (types) => (choices, value) => types[0] === "string" || value !== null,
  not: (types) => {
    typed(types, "bool");
    return (choices, value) => (value === null ? null : !value);
  },

  // conversions
  tolong: number(readLong, true),
  toint: number(readLong, true),
  toreal: number(readReal, false),
  todouble: number(readReal, false),
  tobool: number(readBool, true),
  todatetime: (types) => {
    typed(types, ["string", "dynamic", "datetime"]);
    return (choices, value) => {
      if (NOTHING(value) || typeof value === "bigint") return value === "" ? null : value;
      if (value instanceof Instant) return value.ticks;
      if (typeof value !== "string") return null;
      try {
        return ticksOf(value);
      } catch {
        return null;
      }
    };
  },
  parse_json: (types) => {
    typed(types, ["string", "dynamic"]);
    const memo = new Map();
    return (choices, value) => {
      if (types[0] === "dynamic") return value;
      if (value === "") return null;
      if (!memo.has(value)) memo.set(value, jsonOrText(value));
      return memo.get(value);
    };
  },
  gettype: (types) => {
    typed(types, "dynamic");
    return (choices, value) => typeName(value);
  },

  // times
  bin: (types) => {
    if (types[0] === "datetime") {
      typed(types, "datetime", "timespan");
      return (choices, value, length) => (value === null ? null : floorDivide(value - choices.binOrigin, length) * length + choices.binOrigin);
    }
    each(types, "long");
    return (choices, value, length) => (value === null ? null : floorDivide(value, length) * length);
  },
  bin_at: (types) => {
    typed(types, "datetime", "timespan", "datetime");
    return (choices, value, length, origin) => (value === null ? null : floorDivide(value - origin, length) * length + origin);
  },
  startofday: moment(startOfDay),
  dayofweek: moment(dayOfWeek),
  hourofday: moment((value) => (value - startOfDay(value)) / HOUR),
  unixtime_seconds_todatetime: epoch(1000n * TICKS_PER_MILLISECOND),
  unixtime_milliseconds_todatetime: epoch(TICKS_PER_MILLISECOND),

  // arrays
  array_length: (types) => {
    typed(types, "dynamic");
    return (choices, value) => (Array.isArray(value) ? BigInt(value.length) : null);
  },
  array_concat: (types) => {
    each(types, "dynamic");
    return (choices, ...arrays) => {
      if (!arrays.every(Array.isArray)) throw new Error("array_concat of something that is no array");
      return arrays.flat(1);
    };
  },
  pack_array: (types) => (choices, ...values) => values.map((value, index) => toDynamic(types[index], value)),
  array_sort_asc: (types) => {
    typed(types, "dynamic");
    return (choices, array) => {
      if (!Array.isArray(array)) return null;
      const keys = array.map((item) => (item instanceof Instant ? item.ticks : item));
      if (new Set(keys.map((key) => (typeof key === "bigint" ? "number" : typeof key))).size > 1 || keys.some((key) => key === null || typeof key === "object")) {
        throw new Error("array_sort_asc of values of several types");
      }
      return array.map((item, index) => [keys[index], item]).sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)).map(([, item]) => item);
    };
  },
  set_union: (types) => {
    each(types, "dynamic");
    return (choices, ...arrays) => {
      if (!arrays.every(Array.isArray)) throw new Error("set_union of something that is no array");
      return choices.shuffled(new Map(arrays.flat(1).map((item) => [identity(item), item])).values());
    };
  },

  // addresses
  ipv4_is_in_range: network(inIpv4),
  ipv6_is_in_range: network(inIpv6),
  ipv4_is_in_any_range: networks(ipv4, inIpv4),
  ipv6_is_in_any_range: networks(ipv6, inIpv6),
  parse_ipv4: text((value) => ipv4(value)),
  parse_ipv6: text((value) => (ipv6(value) === null ? "" : ipv6(value).toString(16))),

  // numbers
  ceiling: real(Math.ceil),
  sqrt: real(Math.sqrt),
  sin: real(Math.sin),
  cos: real(Math.cos),
  asin: real(Math.asin),
  radians: real((value) => (value * Math.PI) / 180),
  pow: (types) => {
    typed(types, REALS, REALS);
    return (choices, base, power) => (base === null || power === null ? null : Number(base) ** Number(power));
  },
  min_of: (types) => {
    each(types, REALS);
    return (choices, ...values) => {
      if (values.includes(null)) throw new Error("min_of of null");
      return values.reduce((least, value) => (value < least ? value : least));
    };
  },
};

/** Functions whose arguments all have the type of the result. */
export const UNIFORM = {
  iff: (choices, condition, yes, no) => (condition === true ? yes : no),
  case: (choices, ...values) => {
    for (let index = 0; index + 1 < values.length; index += 2) if (values[index] === true) return values[index + 1];
    return values.at(-1);
  },
  coalesce: (choices, ...values) => values.find((value) => !NOTHING(value)) ?? (values.includes("") ? "" : null),
};

/** Which arguments of a uniform function are conditions. */
export function isCondition(name, index, count) {
  return name !== "coalesce" && index % 2 === 0 && index < count - 1;
}

function jsonOrText(value) {
  try {
    return parseJson(value);
  } catch (error) {
    if (error instanceof SyntaxError) return value;
    throw error;
  }
}

function typeName(value) {
  if (value === null) return "null";
  if (value instanceof Instant) return "datetime";
  if (Array.isArray(value)) return "array";
  return { object: "dictionary", string: "string", boolean: "bool", bigint: "long", number: "double" }[typeof value];
}
