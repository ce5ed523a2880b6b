// The parts of a query that are queries themselves: what stands before each `|`, of each table inside.
//
// It cuts the text where the tree says so, and changes nothing in it.

import { elements, kindOf } from "./language.mjs";

/** For each table of a query the texts that can be executed alone, the longest first. */
export function piecesOf(kusto, globals, text) {
  const code = kusto.KustoCode.ParseAndAnalyze(text, globals);
  const pieces = [];
  for (const statement of elements(code.Syntax.Statements)) {
    const before = text.slice(0, statement.TextStart);
    for (const table of tables(statement.Expression)) {
      const prefixes = [];
      for (let node = table; kindOf(node) === "PipeExpression"; node = node.Expression) prefixes.push(before + text.slice(node.TextStart, node.End));
      if (prefixes.length > 0) pieces.push(prefixes);
    }
  }
  return pieces;
}

/** The outermost pipelines of an expression, and those of the tables in them. */
function* tables(node) {
  if (kindOf(node) === "PipeExpression") {
    yield node;
    let inner = node;
    for (; kindOf(inner) === "PipeExpression"; inner = inner.Expression) {
      if (kindOf(inner.Operator) === "JoinOperator") yield* tables(inner.Operator.Expression);
    }
    yield* tables(inner);
  } else if (kindOf(node) === "UnionOperator") {
    for (const table of elements(node.Expressions)) yield* tables(table);
  } else if (["ParenthesizedExpression", "MaterializeExpression"].includes(kindOf(node))) {
    yield* tables(node.Expression);
  }
}
