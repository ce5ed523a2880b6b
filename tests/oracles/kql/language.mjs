// Loads Microsoft's language service for Kusto, and tells it of a workspace.
//
// It knows the package and its tree, and nothing of what a query means.

import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
// Where provision.sh puts the package, unless the environment names another folder.
const modules = process.env.DETC_KQL_MODULES ?? join(here, "../../../target/oracles/node");

/** Loads the language service, whose two scripts put `Bridge` and `Kusto` on the global object. */
export function loadKusto() {
  const require = createRequire(join(resolve(modules), "package.json"));
  require("@kusto/language-service-next/bridge.min.js");
  require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");
  return globalThis.Kusto.Language;
}

/** A workspace with the declared tables and functions and nothing else. */
export function workspace(kusto, declared) {
  const { TableSymbol, FunctionSymbol, DatabaseSymbol } = kusto.Symbols;
  const members = [];
  for (const [name, columns] of Object.entries(declared.tables)) {
    const schema = Object.entries(columns).map(([column, type]) => `${column}: ${type}`).join(", ");
    // The constructors are overloads numbered by the package's build, which is why its version is pinned.
    members.push(new TableSymbol.$ctor7(name, `(${schema})`, null));
  }
  for (const [name, { parameters, body }] of Object.entries(declared.functions ?? {})) {
    members.push(new FunctionSymbol.$ctor16(name, parameters, body, null));
  }
  return kusto.GlobalState.Default.WithDatabase(new DatabaseSymbol.ctor("workspace", members));
}

/** The kind of a node: the name of its class. */
export function kindOf(node) {
  return globalThis.Bridge.getTypeName(node).split(".").pop();
}

/** The elements of a list of the tree, without their separators. */
export function elements(list) {
  const found = [];
  for (let index = 0; index < (list?.Count ?? 0); index += 1) {
    const item = list.getItem(index);
    found.push(item.Element$1 ?? item.Element ?? item);
  }
  return found;
}

/** Makes sure that a node has no part besides those that its reader names, so that none is skipped. */
export function only(node, ...names) {
  const known = names.map((name) => {
    if (node[name] === undefined) throw new Error(`${kindOf(node)} has no part ${name}`);
    return node[name];
  });
  for (let index = 0; index < node.ChildCount; index += 1) {
    const child = node.GetChild(index);
    if (!child || kindOf(child).startsWith("SyntaxToken") || known.includes(child)) continue;
    if (!(child.Count === 0)) throw new Error(`a part of ${kindOf(node)} that nothing here reads: ${textOf(child)}`);
  }
}

/** The text of a node, without what surrounds it. */
export function textOf(node) {
  return node.ToString(1).trim();
}

/** The name that a declaration or a reference holds. */
export function nameOf(node) {
  const kind = kindOf(node);
  if (kind === "TokenName") return node.Name.Text;
  if (kind === "BracketedName") return node.SimpleName;
  if (kind === "WildcardedName") return node.Pattern.Text;
  if (kind === "NameReference" || kind === "NameDeclaration") return nameOf(node.Name);
  throw new Error(`a name of kind ${kind}: ${textOf(node)}`);
}

/** The columns that the binder finds in a tabular node. */
export function boundColumns(node) {
  const columns = node.ResultType?.Columns;
  if (!columns) throw new Error(`not a table: ${textOf(node)}`);
  return globalThis.Bridge.toArray(columns).map((column) => ({ name: column.Name, type: column.Type.Name }));
}

/** The type that the binder finds for an expression. */
export function boundType(node) {
  const type = node.ResultType?.Name;
  if (!type) throw new Error(`an expression without a type: ${textOf(node)}`);
  return type;
}
