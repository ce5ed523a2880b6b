// Aggregates: the functions of a group of rows, and expressions over them.
//
// A compiled aggregate has the shape of a compiled expression, with the rows of the group in place of the row.

import { applied, combined, compile } from "./expressions.mjs";
import { boundType, elements, kindOf, nameOf, textOf } from "./language.mjs";
import { checked, identity, order, toDynamic } from "./values.mjs";

/** Compiles an expression that stands in a `summarize`. */
export function compileAggregate(node, scope) {
  switch (kindOf(node)) {
    case "ParenthesizedExpression": return compileAggregate(node.Expression, scope);
    case "BinaryExpression": return combined(node.Operator.Text, compileAggregate(node.Left, scope), compileAggregate(node.Right, scope));
    case "LiteralExpression": return compile(node, scope);
    case "FunctionCallExpression": return aggregateCall(node, scope);
    default: throw new Error(`an aggregate of kind ${kindOf(node)}: ${textOf(node)}`);
  }
}

function aggregateCall(node, scope) {
  const name = nameOf(node.Name);
  const nodes = elements(node.ArgumentList.Expressions);
  const aggregate = AGGREGATES[name];
  if (!aggregate) return applied(name, node, nodes.map((argument) => compileAggregate(argument, scope)));
  const parts = nodes.map((argument) => compile(argument, scope));
  if (parts.length !== aggregate.arguments) throw new Error(`${name} with ${parts.length} arguments`);
  if (aggregate.filtered && parts.at(-1).type !== "bool") throw new Error(`${name} with a condition of type ${parts.at(-1).type}`);
  const value = (rows, at) => {
    const kept = aggregate.filtered ? rows.filter((row) => parts.at(-1).value(row, at) === true) : rows;
    return aggregate.of(kept.map((row) => (aggregate.counts ? true : parts[0].value(row, at))), parts[0]?.type, at.run.choices);
  };
  return { type: boundType(node), value };
}

const count = (values) => BigInt(values.length);

function sum(values, type, choices) {
  if (!["long", "int", "real"].includes(type)) throw new Error(`a sum of ${type}`);
  const present = values.filter((value) => value !== null);
  if (present.length === 0) return type === "real" && choices.emptySum !== null ? 0 : choices.emptySum;
  const total = present.reduce((total, value) => total + value);
  return typeof total === "bigint" ? checked(total) : total;
}

/** The value that comes first in an order of a sign. */
function extreme(sign) {
  return (values, type) => {
    if (!["long", "int", "real", "datetime", "timespan"].includes(type)) throw new Error(`the extreme of ${type}`);
    return values.reduce((best, value) => (value !== null && (best === null || order(value, best) === sign) ? value : best), null);
  };
}

function set(values, type, choices) {
  const present = values.filter((value) => value !== null).map((value) => toDynamic(type, value));
  return choices.shuffled(new Map(present.map((value) => [identity(value), value])).values());
}

function list(values, type, choices) {
  return choices.shuffled(values.filter((value) => value !== null).map((value) => toDynamic(type, value)));
}

const AGGREGATES = {
  count: { arguments: 0, counts: true, of: count },
  countif: { arguments: 1, counts: true, filtered: true, of: count },
  sum: { arguments: 1, of: sum },
  sumif: { arguments: 2, filtered: true, of: sum },
  min: { arguments: 1, of: extreme(-1) },
  minif: { arguments: 2, filtered: true, of: extreme(-1) },
  max: { arguments: 1, of: extreme(1) },
  maxif: { arguments: 2, filtered: true, of: extreme(1) },
  make_set: { arguments: 1, of: set },
  make_set_if: { arguments: 2, filtered: true, of: set },
  make_list: { arguments: 1, of: list },
  make_list_if: { arguments: 2, filtered: true, of: list },
};

/** Whether a call keeps a whole row, and by which column: { column, sign }. */
export function wholeRow(node) {
  if (kindOf(node) !== "FunctionCallExpression") return null;
  const sign = { arg_max: 1, arg_min: -1 }[nameOf(node.Name)];
  if (!sign) return null;
  const [column, rest, ...more] = elements(node.ArgumentList.Expressions);
  if (kindOf(column) !== "NameReference" || kindOf(rest) !== "StarExpression" || more.length > 0) throw new Error(`only arg_max(column, *): ${textOf(node)}`);
  return { column: nameOf(column), sign };
}

/** The row of a group with the extreme value of a column; any of several. */
export function rowOf(rows, index, sign, choices) {
  let [best, value] = [null, null];
  for (const row of choices.shuffled(rows)) {
    if (best === null || (row[index] !== null && (value === null || order(row[index], value) === sign))) {
      [best, value] = [row, row[index]];
    }
  }
  return best;
}
