// The operator `scan`: its documented matching of serialized rows by steps.
//
// For each row the steps are tried from the last to the first. Check 1: the state before the step holds a match and
// the row satisfies the condition with it; that state moves to the step. Check 2: the step itself holds a match (or
// is the first), and the row satisfies the condition with it; the row takes the place of the step's last row.

import { compile, converted, Scope } from "./expressions.mjs";
import { elements, nameOf, only, textOf } from "./language.mjs";
import { blank } from "./values.mjs";

/** Compiles a scan over rows of some columns: its columns, and a function from rows to rows. */
export function compileScan(node, columns, scalars, serialized) {
  if (!serialized) throw new Error("scan on rows in no order");
  only(node, "DeclareClause", "Steps");
  const declared = elements(node.DeclareClause?.Declarations).map(declaration);
  const all = [...columns, ...declared];
  const names = elements(node.Steps).map((step) => nameOf(step.Name));
  const scope = new Scope(all, scalars, { steps: new Map(names.map((name, index) => [name, index])), declared: declared.map((column) => column.name) });
  const steps = elements(node.Steps).map((step) => compileStep(step, scope));
  const empty = all.map((column) => blank(column.type));
  const result = [...all, { name: "match_id", type: "long" }];
  return { columns: result, serialized: false, rows: (rows, run) => scanned(rows, run, steps, empty, declared.length) };
}

function declaration(node) {
  only(node, "NameAndType");
  const inner = node.NameAndType;
  return { name: nameOf(inner.Name), type: textOf(inner.Type) };
}

function compileStep(node, scope) {
  only(node, "Name", "ScanStepOutput", "Condition", "ComputationClause");
  if (node.OptionalKeyword) throw new Error(`an optional step: ${textOf(node)}`);
  const output = node.ScanStepOutput ? textOf(node.ScanStepOutput).replace(/\s/g, "") : "output=all";
  if (output !== "output=all" && output !== "output=none") throw new Error(`a step with ${output}`);
  const condition = compile(node.Condition, scope);
  if (condition.type !== "bool") throw new Error(`a condition of type ${condition.type}`);
  const assignments = elements(node.ComputationClause?.Assignments).map((assignment) => {
    const name = nameOf(assignment.Name);
    if (!scope.declared.has(name)) throw new Error(`\`${name}\` is assigned and not declared`);
    const column = scope.columns.get(name);
    return { index: column.index, value: converted(compile(assignment.Expression, scope), column.type) };
  });
  return { output: output === "output=all", condition, assignments };
}

function scanned(rows, run, steps, empty, declaredCount) {
  // For each step the rows of its active match, one for each step up to it; `null` where there is none.
  const states = steps.map(() => null);
  const found = [];
  const matches = (step, row, state) => {
    const at = { run, states: steps.map((_, index) => state?.[index] ?? empty) };
    return step.condition.value(row, at) === true ? at : null;
  };
  for (const plain of rows) {
    const row = [...plain, ...empty.slice(empty.length - declaredCount)];
    for (let index = steps.length - 1; index >= 0; index -= 1) {
      const step = steps[index];
      const extend = (at) => {
        const extended = [...row];
        for (const { index: column, value } of step.assignments) extended[column] = value(row, at);
        if (step.output) found.push([...extended, null]);
        return extended;
      };
      const before = index > 0 ? states[index - 1] : null;
      const promoted = before && matches(step, row, before);
      if (promoted) {
        states[index] = [...before.slice(0, index), extend(promoted)];
        states[index - 1] = null;
        continue;
      }
      if (index > 0 && !states[index]) continue;
      const kept = matches(step, row, states[index]);
      if (kept) states[index] = [...(states[index] ?? []).slice(0, index), extend(kept)];
    }
  }
  return found;
}

