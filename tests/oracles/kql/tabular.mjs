// Tabular operators: from Microsoft's tree to functions from rows to rows.
//
// A compiled table is { columns, serialized, rows }, where `rows(run)` gives arrays of values in the order of the
// columns. Names and types of each result are held against those of the binder. An operator, a clause or a hint
// that is not named here is an error.

import { compileAggregate, rowOf, wholeRow } from "./aggregates.mjs";
import { compile, Scope } from "./expressions.mjs";
import { boundColumns, elements, kindOf, nameOf, only, textOf } from "./language.mjs";
import { compileScan } from "./scan.mjs";
import { blank, fromDynamic, identities, order } from "./values.mjs";

/** Compiles a tabular expression; `names` holds the tables and the tabular `let`s. */
export function compileTable(node, names) {
  const compiled = source(node, names);
  hold(node, compiled.columns);
  return compiled;
}

function source(node, names) {
  switch (kindOf(node)) {
    case "ParenthesizedExpression": return compileTable(node.Expression, names);
    case "PipeExpression": {
      const input = compileTable(node.Expression, names);
      const operator = compileOperator(node.Operator, input.columns, input.serialized, names);
      return { columns: operator.columns, serialized: operator.serialized, rows: (run) => operator.rows(input.rows(run), run) };
    }
    case "NameReference": {
      const table = names.tables.get(nameOf(node));
      if (!table) throw new Error(`unknown table \`${nameOf(node)}\``);
      return table;
    }
    case "MaterializeExpression": {
      const inner = compileTable(node.Expression, names);
      const rows = (run) => {
        if (!run.materialized.has(node)) run.materialized.set(node, inner.rows(run));
        return run.materialized.get(node);
      };
      return { columns: inner.columns, serialized: false, rows };
    }
    case "UnionOperator": return union(node, names);
    default: throw new Error(`a table of kind ${kindOf(node)}: ${textOf(node)}`);
  }
}

/** The binder's columns have to be ours, in name, type and order. */
function hold(node, columns) {
  if (!node.ResultType?.Columns) return;
  const text = (list) => list.map((column) => `${column.name}: ${column.type}`).join(", ");
  const bound = boundColumns(node);
  if (text(bound) !== text(columns)) throw new Error(`the binder has (${text(bound)}) and we have (${text(columns)}) for ${textOf(node).slice(-200)}`);
}

function compileOperator(node, columns, serialized, names) {
  const compileOne = OPERATORS[kindOf(node)];
  if (!compileOne) throw new Error(`an operator of kind ${kindOf(node)}: ${textOf(node)}`);
  only(node, ...PARTS[kindOf(node)]);
  return compileOne(node, columns, serialized, names);
}

const OPERATORS = {
  FilterOperator: filter,
  ExtendOperator: extend,
  SerializeOperator: extend,
  ProjectOperator: project,
  ProjectAwayOperator: projectAway,
  SortOperator: sort,
  DistinctOperator: distinct,
  SummarizeOperator: summarize,
  JoinOperator: join,
  MvExpandOperator: expand,
  MvApplyOperator: apply,
  ScanOperator: (node, columns, serialized, names) => compileScan(node, columns, names.scalars, serialized),
};

/** The parts of an operator that are read; another one is an error. */
const PARTS = {
  FilterOperator: ["Condition"],
  ExtendOperator: ["Expressions"],
  SerializeOperator: ["Expressions"],
  ProjectOperator: ["Expressions"],
  ProjectAwayOperator: ["Expressions"],
  SortOperator: ["Expressions"],
  DistinctOperator: ["Expressions"],
  SummarizeOperator: ["Aggregates", "ByClause"],
  JoinOperator: ["Parameters", "Expression", "ConditionClause"],
  MvExpandOperator: ["Expressions"],
  MvApplyOperator: ["Parameters", "Expressions", "Subquery"],
  ScanOperator: ["DeclareClause", "Steps"],
};

/** Calls a function for each row, with what an expression may look at. */
function overRows(rows, run, visit) {
  const at = { run, rows, index: 0, sums: new Map() };
  return rows.map((row, index) => {
    at.index = index;
    return visit(row, at);
  });
}

function filter(node, columns, serialized, names) {
  const condition = compile(node.Condition, new Scope(columns, names.scalars));
  if (condition.type !== "bool") throw new Error(`a condition of type ${condition.type}`);
  return { columns, serialized, rows: (rows, run) => rows.filter((row) => condition.value(row, { run }) === true) };
}

/** A column's name, where one is given or the expression is a name, and its expression. */
function named(node) {
  if (kindOf(node) === "SimpleNamedExpression") return [nameOf(node.Name), node.Expression];
  if (kindOf(node) === "NameReference") return [nameOf(node), node];
  return [null, node];
}

function assigned(list, scope) {
  return elements(list).map((node) => {
    const [name, expression] = named(node);
    if (!name) throw new Error(`a column without a name: ${textOf(node)}`);
    return { name, ...compile(expression, scope) };
  });
}

function extend(node, columns, serialized, names) {
  const orders = serialized || kindOf(node) === "SerializeOperator";
  const added = assigned(node.Expressions, new Scope(columns, names.scalars, { serialized: orders }));
  const result = columns.map(({ name, type }) => ({ name, type }));
  const places = added.map(({ name, type }) => {
    const known = result.findIndex((column) => column.name === name);
    if (known < 0) return result.push({ name, type }) - 1;
    result[known] = { name, type };
    return known;
  });
  if (new Set(places).size < places.length) throw new Error(`a name twice: ${textOf(node)}`);
  const rows = (input, run) => overRows(input, run, (row, at) => {
    const values = added.map((column) => column.value(row, at));
    const extended = [...row];
    places.forEach((place, index) => { extended[place] = values[index]; });
    return extended;
  });
  return { columns: result, serialized: orders, rows };
}

function project(node, columns, serialized, names) {
  const kept = assigned(node.Expressions, new Scope(columns, names.scalars, { serialized }));
  unique(kept, node);
  const rows = (input, run) => overRows(input, run, (row, at) => kept.map((column) => column.value(row, at)));
  return { columns: kept.map(({ name, type }) => ({ name, type })), serialized, rows };
}

function unique(columns, node) {
  if (new Set(columns.map((column) => column.name)).size < columns.length) throw new Error(`a name twice: ${textOf(node)}`);
}

function projectAway(node, columns, serialized) {
  const patterns = elements(node.Expressions).map(nameOf);
  const goes = (name) => patterns.some((pattern) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
  const indexes = columns.flatMap((column, index) => (goes(column.name) ? [] : [index]));
  return { columns: indexes.map((index) => columns[index]), serialized, rows: (rows) => rows.map((row) => indexes.map((index) => row[index])) };
}

function sort(node, columns, serialized, names) {
  const scope = new Scope(columns, names.scalars);
  const keys = elements(node.Expressions).map((item) => {
    if (kindOf(item) !== "OrderedExpression") throw new Error(`an order that is not written out: ${textOf(item)}`);
    only(item.Ordering);
    const key = compile(item.Expression, scope);
    if (key.type === "dynamic") throw new Error(`an order of dynamic values: ${textOf(item)}`);
    return { ...key, sign: { asc: 1, desc: -1 }[item.Ordering.AscOrDescKeyword.Text] };
  });
  const rows = (input, run) => {
    // Rows that compare equal come in any order.
    const keyed = run.choices.shuffled(input).map((row) => ({ row, values: keys.map((key) => key.value(row, { run })) }));
    keyed.sort((one, other) => {
      for (let index = 0; index < keys.length; index += 1) {
        const sign = compareNullable(one.values[index], other.values[index]);
        if (sign !== 0) return sign * keys[index].sign;
      }
      return 0;
    });
    return keyed.map(({ row }) => row);
  };
  return { columns, serialized: true, rows };
}

/** Nulls come first in an ascending order and last in a descending one. */
function compareNullable(one, other) {
  if (one === null || other === null) return Number(other === null) - Number(one === null) === 0 ? 0 : one === null ? -1 : 1;
  return order(one, other);
}

/** The position of a column. */
function place(columns, name) {
  const index = columns.findIndex((column) => column.name === name);
  if (index < 0) throw new Error(`unknown column \`${name}\``);
  return index;
}

function distinct(node, columns) {
  const indexes = elements(node.Expressions).map((item) => place(columns, nameOf(item)));
  const rows = (input, run) => {
    const kept = new Map();
    for (const row of input) {
      const values = indexes.map((index) => row[index]);
      kept.set(identities(values), values);
    }
    return run.choices.shuffled(kept.values());
  };
  return { columns: indexes.map((index) => columns[index]), serialized: false, rows };
}

function summarize(node, columns, serialized, names) {
  const scope = new Scope(columns, names.scalars);
  const by = assigned(node.ByClause?.Expressions, scope);
  const aggregates = elements(node.Aggregates).map((item) => summarized(item, columns, by, scope));
  const result = [...by, ...aggregates.flatMap((aggregate) => aggregate.columns)].map(({ name, type }) => ({ name, type }));
  unique(result, node);
  const rows = (input, run) => {
    const groups = new Map();
    overRows(input, run, (row, at) => {
      const values = by.map((column) => column.value(row, at));
      const key = by.length === 0 ? "" : identities(values);
      if (!groups.has(key)) groups.set(key, { values, rows: [] });
      groups.get(key).rows.push(row);
    });
    // Without groups there is one row even of nothing.
    if (by.length === 0 && groups.size === 0) groups.set("", { values: [], rows: [] });
    return run.choices.shuffled(groups.values()).map((group) => [...group.values, ...aggregates.flatMap((aggregate) => aggregate.values(group.rows, run))]);
  };
  return { columns: result, serialized: false, rows };
}

function summarized(node, columns, by, scope) {
  const whole = wholeRow(node);
  if (whole) {
    const index = place(columns, whole.column);
    // The column comes first, then all that are no groups.
    const rest = columns.flatMap((column, other) => (other === index || by.some((group) => group.name === column.name) ? [] : [other]));
    const kept = [index, ...rest];
    return { columns: kept.map((other) => columns[other]), values: (rows, run) => { const row = rowOf(rows, index, whole.sign, run.choices); return kept.map((other) => row[other]); } };
  }
  const [name, expression] = named(node);
  if (!name) throw new Error(`an aggregate without a name: ${textOf(node)}`);
  const compiled = compileAggregate(expression, scope);
  return { columns: [{ name, type: compiled.type }], values: (rows, run) => [compiled.value(rows, { run })] };
}

function join(node, columns, serialized, names) {
  const parameters = elements(node.Parameters).map((parameter) => textOf(parameter).replace(/\s/g, ""));
  const kind = parameters.length === 1 && /^kind=(inner|leftsemi)$/.exec(parameters[0])?.[1];
  if (!kind) throw new Error(`a join of no known kind: ${parameters}`);
  const right = compileTable(node.Expression, names);
  only(node.ConditionClause, "Expressions");
  const on = elements(node.ConditionClause.Expressions).map(nameOf);
  const [lefts, rights] = [columns, right.columns].map((side) => on.map((name) => place(side, name)));
  on.forEach((name, index) => {
    if (columns[lefts[index]].type !== right.columns[rights[index]].type) throw new Error(`join on \`${name}\` of two types`);
  });
  const key = (row, indexes) => {
    const values = indexes.map((index) => row[index]);
    if (values.includes(null)) throw new Error("join on null");
    return identities(values);
  };
  const rows = (input, run) => {
    const partners = new Map();
    for (const row of right.rows(run)) {
      const text = key(row, rights);
      if (!partners.has(text)) partners.set(text, []);
      partners.get(text).push(row);
    }
    const found = (row) => partners.get(key(row, lefts)) ?? [];
    const joined = kind === "leftsemi" ? input.filter((row) => found(row).length > 0) : input.flatMap((row) => found(row).map((other) => [...row, ...other]));
    return run.choices.shuffled(joined);
  };
  if (kind === "leftsemi") return { columns, serialized: false, rows };
  const result = [...columns];
  for (const column of right.columns) {
    let [name, number] = [column.name, 0];
    while (result.some((known) => known.name === name)) name = `${column.name}${(number += 1)}`;
    result.push({ name, type: column.type });
  }
  return { columns: result, serialized: false, rows };
}

/** The array that is expanded, by the name of the column that takes the elements. */
function expanded(node, columns, names) {
  const [item, ...more] = elements(node.Expressions);
  if (more.length > 0) throw new Error(`several arrays: ${textOf(node)}`);
  const [name, expression] = named(item.Expression);
  const array = compile(expression, new Scope(columns, names.scalars));
  if (!name || array.type !== "dynamic") throw new Error(`an expansion of ${array.type}: ${textOf(node)}`);
  const type = /^to typeof\((\w+)\)$/.exec(item.ToTypeOf ? textOf(item.ToTypeOf) : "")?.[1];
  if (!type) throw new Error(`an expansion to no type: ${textOf(node)}`);
  return { name, type, array };
}

function expand(node, columns, serialized, names) {
  const { name, type, array } = expanded(node, columns, names);
  const result = columns.map(({ name, type }) => ({ name, type }));
  const known = result.findIndex((column) => column.name === name);
  const index = known < 0 ? result.length : known;
  result[index] = { name, type };
  const rows = (input, run) => input.flatMap((row) => {
    let items = array.value(row, { run });
    if (!Array.isArray(items)) throw new Error("mv-expand of something that is no array");
    if (items.length === 0 && run.choices.emptyExpands) items = [null];
    return items.map((item) => { const copy = [...row]; copy[index] = fromDynamic(type, item); return copy; });
  });
  return { columns: result, serialized, rows };
}

function apply(node, columns, serialized, names) {
  const { name, type, array } = expanded(node, columns, names);
  const inner = [...columns];
  let position = null;
  for (const parameter of elements(node.Parameters)) {
    const found = /^with_itemindex\s*=\s*(\w+)$/.exec(textOf(parameter));
    if (!found || position !== null) throw new Error(`a parameter of mv-apply: ${textOf(parameter)}`);
    position = place(inner, inner[inner.push({ name: found[1], type: "long" }) - 1].name);
  }
  if (inner.some((column) => column.name === name)) throw new Error(`mv-apply hides \`${name}\``);
  inner.push({ name, type });
  unique(inner, node);
  const pipeline = chain(node.Subquery.Expression, inner, names);
  const kept = pipeline.columns.filter((column) => !columns.some((known) => known.name === column.name));
  if (kept.length !== pipeline.columns.length) throw new Error(`mv-apply that gives columns of the row again: ${textOf(node)}`);
  const rows = (input, run) => input.flatMap((row) => {
    const items = array.value(row, { run });
    if (!Array.isArray(items) || items.length === 0) throw new Error("mv-apply of an empty array or of none");
    const expandedRows = items.map((item, index) => {
      const values = [...row];
      if (position !== null) values.push(BigInt(index));
      values.push(fromDynamic(type, item));
      return values;
    });
    return pipeline.rows(expandedRows, run).map((result) => [...row, ...result]);
  });
  return { columns: [...columns, ...pipeline.columns], serialized: false, rows };
}

/** Operators that follow each other without a table before them. */
function chain(node, columns, names) {
  if (kindOf(node) !== "PipeExpression") return compileOperator(node, columns, false, names);
  const first = chain(node.Expression, columns, names);
  const then = compileOperator(node.Operator, first.columns, first.serialized, names);
  return { columns: then.columns, serialized: then.serialized, rows: (rows, run) => then.rows(first.rows(rows, run), run) };
}

function union(node, names) {
  only(node, "Expressions");
  const tables = elements(node.Expressions).map((table) => compileTable(table, names));
  const result = [];
  for (const column of tables.flatMap((table) => table.columns)) {
    const known = result.find((other) => other.name === column.name);
    if (known && known.type !== column.type) throw new Error(`union splits \`${column.name}\` into ${known.type} and ${column.type}`);
    if (!known) result.push({ name: column.name, type: column.type });
  }
  const places = tables.map((table) => result.map((column) => table.columns.findIndex((own) => own.name === column.name)));
  const rows = (run) => {
    const all = tables.flatMap((table, index) => table.rows(run).map((row) => places[index].map((own, at) => (own < 0 ? blank(result[at].type) : row[own]))));
    return run.choices.shuffled(all);
  };
  return { columns: result, serialized: false, rows };
}

