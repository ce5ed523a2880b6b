// Scalar expressions: from Microsoft's tree, with the binder's types, to functions of a row.
//
// A compiled expression is { type, value }, where `value(row, at)` is its value on a row; `at` holds the execution,
// the rows around, and the states of a scan. Anything that is not named here is an error.

import { parseJson } from "./json.mjs";
import { FUNCTIONS, isCondition, UNIFORM } from "./functions.mjs";
import { boundType, elements, kindOf, nameOf, textOf } from "./language.mjs";
import { regexOf } from "./regex.mjs";
import { blank, checked, order, ticksOf } from "./values.mjs";

const NUMBERS = ["long", "int", "real"];
const LENGTHS = { d: 864_000_000_000n, h: 36_000_000_000n, m: 600_000_000n, s: 10_000_000n, ms: 10_000n };

/** Names that an expression may use: columns of the row, scalars of `let`, steps of a `scan`. */
export class Scope {
  constructor(columns, scalars, { serialized = false, steps = null, declared = [] } = {}) {
    this.columns = new Map(columns.map((column, index) => [column.name, { ...column, index }]));
    this.scalars = scalars;
    this.serialized = serialized;
    this.steps = steps;
    // Columns that steps of a scan fill; without a step before them their value on a row is documented nowhere.
    this.declared = new Set(declared);
  }
}

/** Compiles an expression, and holds the type against that of the binder. */
export function compile(node, scope) {
  const compiled = COMPILERS[kindOf(node)]?.(node, scope);
  if (!compiled) throw new Error(`an expression of kind ${kindOf(node)}: ${textOf(node)}`);
  const type = node.ResultType ? boundType(node) : compiled.type;
  if (type !== compiled.type) throw new Error(`${textOf(node)} is ${type} for the binder and ${compiled.type} here`);
  return compiled;
}

const COMPILERS = {
  ParenthesizedExpression: (node, scope) => compile(node.Expression, scope),
  BracketedExpression: (node, scope) => compile(node.Expression, scope),
  NameReference: reference,
  LiteralExpression: (node) => constant(...literal(node)),
  CompoundStringLiteralExpression: (node) => constant("string", node.LiteralValue),
  DynamicExpression: (node) => constant("dynamic", parseJson(/^dynamic\s*\(([^]*)\)$/.exec(textOf(node))[1])),
  PrefixUnaryExpression: negated,
  BinaryExpression: binary,
  InExpression: membership,
  PathExpression: path,
  ElementExpression: element,
  FunctionCallExpression: call,
};

function constant(type, value) {
  return { type, value: () => value };
}

function reference(node, scope) {
  const name = nameOf(node);
  const column = scope.columns.get(name);
  if (column) {
    if (scope.declared.has(name)) throw new Error(`\`${name}\` is read on the row that a step is about to fill`);
    return { type: column.type, value: (row) => row[column.index] };
  }
  const type = scope.scalars.get(name);
  if (type) return { type, value: (row, at) => at.run.scalars.get(name) };
  throw new Error(`unknown name \`${name}\``);
}

/** Type and value of a literal. */
function literal(node) {
  const type = boundType(node);
  const text = node.Token.Text;
  if (type === "string") return [type, node.LiteralValue];
  const inner = /^\w+\s*\(([^]*)\)$/.exec(text)?.[1].trim() ?? text;
  if (inner === "null") return [type, null];
  switch (type) {
    case "long": case "int": return [type, checked(BigInt(inner))];
    case "real": return [type, Number(inner)];
    case "bool": return [type, { true: true, false: false }[inner]];
    case "datetime": return [type, ticksOf(inner)];
    case "timespan": return [type, length(inner)];
    default: throw new Error(`a literal of type ${type}: ${text}`);
  }
}

function length(text) {
  const found = /^(\d+)(d|h|m|s|ms)$/.exec(text);
  if (!found) throw new Error(`no length of time: ${text}`);
  return BigInt(found[1]) * LENGTHS[found[2]];
}

function negated(node, scope) {
  const inner = compile(node.Expression, scope);
  if (node.Operator.Text !== "-" || !NUMBERS.includes(inner.type)) throw new Error(`a sign: ${textOf(node)}`);
  return { type: inner.type, value: (row, at) => { const value = inner.value(row, at); return value === null ? null : -value; } };
}

function binary(node, scope) {
  return combined(node.Operator.Text, compile(node.Left, scope), compile(node.Right, scope));
}

/** An operator between two compiled operands. */
export function combined(operator, left, right) {
  return logical(operator, left, right) ?? arithmetic(operator, left, right) ?? comparison(operator, left, right) ?? textual(operator, left, right);
}

/** Three-valued: an operand that decides makes the other irrelevant. */
function logical(operator, left, right) {
  if (operator !== "and" && operator !== "or") return null;
  if (left.type !== "bool" || right.type !== "bool") throw new Error(`${left.type} ${operator} ${right.type}`);
  const decides = operator === "or";
  const value = (row, at) => {
    const one = left.value(row, at);
    if (one === decides) return decides;
    const other = right.value(row, at);
    if (other === decides) return decides;
    return one === null || other === null ? null : !decides;
  };
  return { type: "bool", value };
}

function arithmetic(operator, left, right) {
  if (!"+-*/".includes(operator)) return null;
  const [type, compute] = operation(operator, left.type, right.type);
  const value = (row, at) => {
    const [one, other] = [left.value(row, at), right.value(row, at)];
    return one === null || other === null ? null : compute(one, other);
  };
  return { type, value };
}

/** Type and function of an arithmetic operator on operands of two types. */
function operation(operator, left, right) {
  const whole = { "+": (a, b) => checked(a + b), "-": (a, b) => checked(a - b), "*": (a, b) => checked(a * b), "/": (a, b) => (b === 0n ? null : a / b) };
  const decimal = { "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b };
  const shape = `${left} ${operator} ${right}`;
  if (NUMBERS.includes(left) && NUMBERS.includes(right)) {
    if (left === "real" || right === "real") return ["real", (a, b) => decimal[operator](Number(a), Number(b))];
    return [left === "int" && right === "int" ? "int" : "long", whole[operator]];
  }
  if (shape === "timespan / timespan") return ["real", (a, b) => Number(a) / Number(b)];
  if (shape === "datetime - datetime") return ["timespan", whole["-"]];
  if (["datetime + timespan", "datetime - timespan"].includes(shape)) return ["datetime", whole[operator]];
  if (["timespan + timespan", "timespan - timespan"].includes(shape)) return ["timespan", whole[operator]];
  if (["timespan * long", "long * timespan"].includes(shape)) return ["timespan", whole["*"]];
  throw new Error(shape);
}

const ORDERED = { "<": (sign) => sign < 0, "<=": (sign) => sign <= 0, ">": (sign) => sign > 0, ">=": (sign) => sign >= 0 };

function comparable(left, right) {
  if (NUMBERS.includes(left) && NUMBERS.includes(right)) return true;
  return left === right && ["string", "bool", "datetime", "timespan"].includes(left);
}

function comparison(operator, left, right) {
  const ordered = ORDERED[operator];
  if (!ordered && operator !== "==" && operator !== "!=") return null;
  if (!comparable(left.type, right.type) || (ordered && left.type === "bool")) throw new Error(`${left.type} ${operator} ${right.type}`);
  const value = (row, at) => {
    const [one, other] = [left.value(row, at), right.value(row, at)];
    if (one === null || other === null) return ordered || (one === null && other === null) || !at.run.choices.nullIsAnswer ? null : operator === "!=";
    if (ordered) return ordered(order(one, other));
    // A long and a real of the same value are equal, so the values are compared and not told apart by their kind.
    return (order(one, other) === 0) === (operator === "==");
  };
  return { type: "bool", value };
}

const TEXTUAL = {
  contains: (text, part) => text.includes(part),
  startswith: (text, part) => text.startsWith(part),
  endswith: (text, part) => text.endsWith(part),
  "=~": (text, other) => text === other,
};

function textual(operator, left, right) {
  if (left.type !== "string" || right.type !== "string") throw new Error(`${left.type} ${operator} ${right.type}`);
  if (operator === "matches regex") {
    return { type: "bool", value: (row, at) => regexOf(right.value(row, at)).test(left.value(row, at)) };
  }
  const isNegated = operator.startsWith("!");
  const plain = operator === "!~" ? "=~" : operator.replace(/^!/, "");
  const cased = plain.endsWith("_cs");
  const test = TEXTUAL[plain.replace(/_cs$/, "")];
  if (!test) throw new Error(`operator ${operator}`);
  const value = (row, at) => {
    const [text, other] = [left.value(row, at), right.value(row, at)];
    const found = cased ? test(text, other) : test(at.run.choices.folded(text), at.run.choices.folded(other));
    return found !== isNegated;
  };
  return { type: "bool", value };
}

function membership(node, scope) {
  const operator = node.Operator.Text;
  const [isNegated, folded] = [operator.startsWith("!"), operator.endsWith("~")];
  const left = compile(node.Left, scope);
  const items = elements(node.Right.Expressions).map((item) => compile(item, scope));
  for (const item of items) if (!comparable(left.type, item.type)) throw new Error(`${left.type} ${operator} ${item.type}`);
  if (folded && left.type !== "string") throw new Error(`${left.type} ${operator}`);
  const value = (row, at) => {
    const one = left.value(row, at);
    if (one === null) return at.run.choices.nullIsAnswer ? isNegated : null;
    const fold = folded ? (text) => at.run.choices.folded(text) : (text) => text;
    return items.some((item) => { const other = item.value(row, at); return other !== null && order(fold(one), fold(other)) === 0; }) !== isNegated;
  };
  return { type: "bool", value };
}

function path(node, scope) {
  const name = nameOf(node.Selector);
  const step = kindOf(node.Expression) === "NameReference" ? nameOf(node.Expression) : null;
  if (scope.steps?.has(step) && !scope.columns.has(step)) {
    const column = scope.columns.get(name);
    if (!column) throw new Error(`step ${step} has no column ${name}`);
    const index = scope.steps.get(step);
    return { type: column.type, value: (row, at) => at.states[index][column.index] };
  }
  const base = compile(node.Expression, scope);
  if (base.type !== "dynamic") throw new Error(`a member of a ${base.type}`);
  return { type: "dynamic", value: (row, at) => { const value = base.value(row, at); return value instanceof Map ? value.get(name) ?? null : null; } };
}

function element(node, scope) {
  const base = compile(node.Expression, scope);
  const key = compile(node.Selector.Expression, scope);
  if (base.type !== "dynamic" || !["string", "long", "int"].includes(key.type)) throw new Error(`${base.type}[${key.type}]`);
  const value = (row, at) => {
    const [holder, wanted] = [base.value(row, at), key.value(row, at)];
    if (wanted === null || holder === null) return null;
    if (holder instanceof Map) return typeof wanted === "string" ? holder.get(wanted) ?? null : null;
    if (!Array.isArray(holder) || typeof wanted === "string") return null;
    // A negative position counts from the end.
    return holder.at(Number(wanted)) ?? null;
  };
  return { type: "dynamic", value };
}

/** A value of one type as one of another; only whole numbers become reals. */
export function converted(compiled, type) {
  if (compiled.type === type) return compiled.value;
  if (type === "real" && NUMBERS.includes(compiled.type)) {
    return (row, at) => { const value = compiled.value(row, at); return value === null ? null : Number(value); };
  }
  if (type === "long" && compiled.type === "int") return compiled.value;
  throw new Error(`a ${compiled.type} where a ${type} is due`);
}

function call(node, scope) {
  const name = nameOf(node.Name);
  const nodes = elements(node.ArgumentList.Expressions);
  if (SERIAL[name]) {
    if (!scope.serialized) throw new Error(`${name}() on rows in no order`);
    return SERIAL[name](node, nodes, scope);
  }
  const parts = nodes.map((argument) => compile(argument, scope));
  return applied(name, node, parts);
}

/** A function of compiled arguments. */
export function applied(name, node, parts) {
  if (name === "now" && parts.length === 0) return { type: "datetime", value: (row, at) => at.run.now };
  if (name === "geo_info_from_ip_address") {
    if (parts.length !== 1 || parts[0].type !== "string") throw new Error(`arguments of ${name}`);
    return { type: "dynamic", value: (row, at) => at.run.locate(parts[0].value(row, at)) };
  }
  if (UNIFORM[name]) {
    const type = boundType(node);
    const values = parts.map((part, index) => converted(part, isCondition(name, index, parts.length) ? "bool" : type));
    const compute = UNIFORM[name];
    return { type, value: (row, at) => compute(at.run.choices, ...values.map((value) => value(row, at))) };
  }
  if (!FUNCTIONS[name]) throw new Error(`function ${name}`);
  let compute;
  try {
    compute = FUNCTIONS[name](parts.map((part) => part.type));
  } catch (error) {
    throw new Error(`${name}: ${error.message}`);
  }
  const values = parts.map((part) => part.value);
  return { type: boundType(node), value: (row, at) => compute(at.run.choices, ...values.map((value) => value(row, at))) };
}

/** Functions of neighbouring rows. */
const SERIAL = {
  prev: (node, nodes, scope) => neighbour(nodes, scope, -1),
  next: (node, nodes, scope) => neighbour(nodes, scope, 1),
  row_number: (node, nodes) => {
    if (nodes.length > 0) throw new Error("row_number with arguments");
    return { type: "long", value: (row, at) => BigInt(at.index) + 1n };
  },
  row_cumsum: (node, nodes, scope) => {
    if (nodes.length > 2) throw new Error("row_cumsum with more than two arguments");
    const term = compile(nodes[0], scope);
    const restart = nodes[1] ? compile(nodes[1], scope) : null;
    if (!NUMBERS.includes(term.type) || (restart && restart.type !== "bool")) throw new Error(`row_cumsum of a ${term.type}`);
    const zero = term.type === "real" ? 0 : 0n;
    const value = (row, at) => {
      const before = at.index === 0 || restart?.value(row, at) === true ? zero : at.sums.get(node) ?? zero;
      const added = term.value(row, at);
      if (added === null) throw new Error("row_cumsum of null");
      const sum = before + added;
      at.sums.set(node, typeof sum === "bigint" ? checked(sum) : sum);
      return sum;
    };
    return { type: term.type, value };
  },
};

function neighbour(nodes, scope, direction) {
  if (nodes.length < 1 || nodes.length > 2) throw new Error("prev or next with a default");
  const what = compile(nodes[0], scope);
  const offset = nodes[1] ? compile(nodes[1], scope) : constant("long", 1n);
  const value = (row, at) => {
    const index = at.index + direction * Number(offset.value(row, at));
    if (index < 0 || index >= at.rows.length) return blank(what.type);
    return what.value(at.rows[index], { ...at, index });
  };
  return { type: what.type, value };
}
