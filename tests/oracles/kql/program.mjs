// A query as a program: its `let` statements and its result, executed over tables of rows.

import { Choices } from "./choices.mjs";
import { compile, Scope } from "./expressions.mjs";
import { elements, kindOf, nameOf, textOf } from "./language.mjs";
import { compileTable } from "./tabular.mjs";
import { blank } from "./values.mjs";

/** Binds and compiles a query for tables of declared columns. */
export function compileProgram(kusto, globals, tables, text) {
  const code = kusto.KustoCode.ParseAndAnalyze(text, globals);
  const errors = globalThis.Bridge.toArray(code.GetDiagnostics()).filter((diagnostic) => diagnostic.Severity === "Error");
  if (errors.length > 0) throw new Error(`does not bind: ${errors.map((error) => error.Message).join("; ")}`);
  const names = { tables: new Map(), scalars: new Map() };
  for (const [name, declared] of Object.entries(tables)) {
    const columns = Object.entries(declared).map(([column, type]) => ({ name: column, type }));
    names.tables.set(name, { columns, serialized: false, rows: (run) => run.choices.shuffled(run.tables.get(name) ?? []) });
  }
  const scalars = [];
  let result = null;
  for (const statement of elements(code.Syntax.Statements)) {
    if (result) throw new Error("a statement after the result");
    if (kindOf(statement) === "LetStatement") {
      const name = nameOf(statement.Name);
      if (names.tables.has(name) || names.scalars.has(name)) throw new Error(`\`${name}\` is declared twice`);
      if (statement.Expression.ResultType?.Columns) {
        names.tables.set(name, compileTable(statement.Expression, names));
      } else {
        const value = compile(statement.Expression, new Scope([], names.scalars));
        names.scalars.set(name, value.type);
        scalars.push({ name, value });
      }
    } else if (kindOf(statement) === "ExpressionStatement") {
      result = compileTable(statement.Expression, names);
    } else {
      throw new Error(`a statement of kind ${kindOf(statement)}: ${textOf(statement)}`);
    }
  }
  if (!result) throw new Error("no result");
  return {
    columns: result.columns,
    /** Rows of the result; `rows` maps tables to objects of column values. */
    execute({ rows, now, seed, locate }) {
      const run = { choices: new Choices(seed), now, locate, scalars: new Map(), materialized: new Map(), tables: new Map() };
      for (const [name, list] of rows) {
        const { columns } = names.tables.get(name);
        run.tables.set(name, list.map((row) => columns.map((column) => row[column.name] ?? blank(column.type))));
      }
      for (const { name, value } of scalars) run.scalars.set(name, value.value([], { run }));
      return result.rows(run);
    },
  };
}
