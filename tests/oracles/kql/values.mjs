// The scalar types of Kusto: how their values are held, compared, told apart and turned into each other.
//
//   string    String, never null           long, int   BigInt
//   real      Number                       bool        Boolean
//   datetime  BigInt, ticks of 100 ns since 1970       timespan  BigInt, ticks
//   dynamic   what json.mjs reads          null        of every other type
//
// Never converts in silence: what the documentation does not define is left to `choices`, or is an error.

import { Instant, writeJson } from "./json.mjs";

export const TICKS_PER_MILLISECOND = 10_000n;
const DAY = 864_000_000_000n;
const LONGEST = 2n ** 63n;

/** The value that a column of a type has where a row has none. */
export function blank(type) {
  return type === "string" ? "" : null;
}

/** A whole number that fits the type; the engine would wrap around, which no query may rely on. */
export function checked(number) {
  if (number >= LONGEST || number < -LONGEST) throw new Error(`${number} does not fit a long`);
  return number;
}

/** The ticks of a time that is written out; throws when it is none. */
export function ticksOf(text) {
  const found = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (!found) throw new Error(`no time: ${text}`);
  const [, day, clock = "00:00:00", fraction = "", zone = "Z"] = found;
  const seconds = Date.parse(`${day}T${clock.length === 5 ? `${clock}:00` : clock}${zone}`);
  if (Number.isNaN(seconds)) throw new Error(`no time: ${text}`);
  return BigInt(seconds) * TICKS_PER_MILLISECOND + BigInt(fraction.padEnd(7, "0").slice(0, 7));
}

/** A time as the engine writes it. */
export function timeText(ticks) {
  const milliseconds = floorDivide(ticks, TICKS_PER_MILLISECOND);
  const rest = ticks - milliseconds * TICKS_PER_MILLISECOND;
  return `${new Date(Number(milliseconds)).toISOString().slice(0, -1)}${rest.toString().padStart(4, "0")}Z`;
}

/** The largest whole number of times that `length` goes into `value`. */
export function floorDivide(value, length) {
  const quotient = value / length;
  return value % length !== 0n && value < 0n !== length < 0n ? quotient - 1n : quotient;
}

/** The start of the day of a time. */
export function startOfDay(ticks) {
  return floorDivide(ticks, DAY) * DAY;
}

/** The days since the last Sunday, as a length of time. */
export function dayOfWeek(ticks) {
  // 1970-01-01 was a Thursday.
  const day = floorDivide(ticks, DAY) + 4n;
  return (((day % 7n) + 7n) % 7n) * DAY;
}

/** The text of a value, as `tostring()` gives it. */
export function textFrom(type, value) {
  if (value === null) return "";
  switch (type) {
    case "string": return value;
    case "long": case "int": return value.toString();
    case "bool": return value ? "true" : "false";
    case "datetime": return timeText(value);
    case "real": return realText(value);
    case "dynamic": return dynamicText(value);
    default: throw new Error(`the text of a ${type}`);
  }
}

function realText(value) {
  const text = String(value);
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new Error(`the text of the real ${text}`);
  return text.includes(".") ? text : `${text}.0`;
}

function dynamicText(value) {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "number") return realText(value);
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Instant) return timeText(value.ticks);
  return writeJson(value);
}

/** What tells values apart, for groups, joins and sets. */
export function identity(value) {
  if (value === null) return "null";
  if (typeof value === "bigint") return `n${value}`;
  if (typeof value === "string") return `s${value}`;
  return `${typeof value}${typeof value === "object" ? writeJson(value) : value}`;
}

/** One text for several values; no two different rows of values have the same. */
export function identities(values) {
  if (values.length === 1) return identity(values[0]);
  return values.map((value) => { const text = identity(value); return `${text.length}:${text}`; }).join("");
}

/** The order of two values of one type that are not null. */
export function order(left, right) {
  if (left < right) return -1;
  return left > right ? 1 : 0;
}

/** A value inside a dynamic one. */
export function toDynamic(type, value) {
  if (value === null) return null;
  switch (type) {
    case "dynamic": case "string": case "bool": case "long": case "int": case "real": return value;
    case "datetime": return new Instant(value);
    default: throw new Error(`a ${type} inside a dynamic value`);
  }
}

/** An element of a dynamic array as a value of a type. */
export function fromDynamic(type, value) {
  if (type === "dynamic") return value;
  if (type === "string") return value === null ? "" : dynamicText(value);
  if (value === null) return null;
  if (type === "datetime" && value instanceof Instant) return value.ticks;
  if (type === "long" && typeof value === "bigint") return value;
  throw new Error(`${writeJson(value)} as a ${type}`);
}
