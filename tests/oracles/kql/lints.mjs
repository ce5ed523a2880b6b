// Rules that Microsoft's binder lacks: queries that bind, and give other rows than they seem to.
//
// It reads the bound tree, and never the text.

import { boundColumns, elements, kindOf, nameOf, textOf } from "./language.mjs";

const SERIAL_FUNCTIONS = new Set(["prev", "next", "row_cumsum", "row_number", "row_rank_dense", "row_rank_min", "row_window_session"]);
// Operators behind which rows are still in the order of a `sort`, as their documentation says.
const ORDER_KEEPERS = new Set(["FilterOperator", "ExtendOperator", "ProjectOperator", "ProjectAwayOperator", "ProjectRenameOperator", "ProjectKeepOperator", "ProjectReorderOperator", "MvExpandOperator", "ParseOperator", "TakeOperator"]);
const ORDER_MAKERS = new Set(["SortOperator", "SerializeOperator", "TopOperator", "RangeOperator"]);

/** The findings of a bound query, each { node, code, message }. */
export function treeRules(code) {
  const found = [];
  const report = (node, rule, message) => found.push({ node, code: rule, message });
  visit(code.Syntax, (node) => {
    const kind = kindOf(node);
    if (kind === "PipeExpression" && !isOrdered(node.Expression)) unordered(node.Operator, report);
    if (kind === "UnionOperator") splitColumns(node, report);
    if (kind === "InExpression") severalColumns(node, report);
  });
  const columns = code.ResultType?.Columns ? globalThis.Bridge.toArray(code.ResultType.Columns).map((column) => column.Name) : [];
  if (columns.includes("match_id")) report(code.Syntax, "detc-match-id", "the result has the column `match_id` that `scan` adds");
  return found;
}

function visit(node, look) {
  look(node);
  for (let index = 0; index < node.ChildCount; index += 1) {
    const child = node.GetChild(index);
    if (child?.ChildCount !== undefined) visit(child, look);
  }
}

/** Whether the rows of a tabular node are in an order. */
function isOrdered(node) {
  const kind = kindOf(node);
  if (kind === "ParenthesizedExpression") return isOrdered(node.Expression);
  if (ORDER_MAKERS.has(kind)) return true;
  if (kind !== "PipeExpression") return false;
  const operator = kindOf(node.Operator);
  return ORDER_MAKERS.has(operator) || (ORDER_KEEPERS.has(operator) && isOrdered(node.Expression));
}

/** Functions of neighbouring rows in an operator on rows in no order; those of inner tables have rows of their own. */
function unordered(operator, report) {
  if (ORDER_MAKERS.has(kindOf(operator))) return;
  if (kindOf(operator) === "ScanOperator") report(operator, "detc-unsorted", "`scan` on rows in no order");
  const look = (node) => {
    if (kindOf(node) === "PipeExpression") return;
    if (kindOf(node) === "FunctionCallExpression" && SERIAL_FUNCTIONS.has(nameOf(node.Name))) {
      report(node, "detc-unsorted", `\`${nameOf(node.Name)}\` on rows in no order`);
    }
    for (let index = 0; index < node.ChildCount; index += 1) {
      const child = node.GetChild(index);
      if (child?.ChildCount !== undefined) look(child);
    }
  };
  look(operator);
}

/** A column that has two types in a union becomes two columns with the types behind their names. */
function splitColumns(node, report) {
  const tables = elements(node.Expressions).filter((table) => table.ResultType?.Columns);
  const types = new Map();
  for (const { name, type } of tables.flatMap(boundColumns)) {
    if ((types.get(name) ?? type) !== type) report(node, "detc-union-split", `\`${name}\` is ${types.get(name)} and ${type} in this union`);
    types.set(name, type);
  }
}

/** Of several columns `in` takes the first. */
function severalColumns(node, report) {
  for (const item of elements(node.Right?.Expressions)) {
    const columns = item.ResultType?.Columns ? boundColumns(item) : [];
    if (columns.length > 1) report(item, "detc-in-columns", `\`in\` takes one of the ${columns.length} columns of ${textOf(item)}`);
  }
}
