#!/usr/bin/env node
// Binds Kusto queries with Microsoft's own language service: syntax, names, types and result columns.
//
//   node kql_check.mjs TABLES.json FILE-OR-FOLDER...
//   node kql_check.mjs TABLES.json --self-test
//
// Prints one JSON object a file and exits 1 when any query has an error. The language service is looked for
// in the folder that DETC_KQL_MODULES names, else where provision.sh puts it.
//
// The binder says nothing about a query of another meaning (`prev()` on rows in no order, a column that a union
// splits): kql/lints.mjs has rules about its tree, and the last part of this file has rules about the text.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { loadKusto, workspace } from "./kql/language.mjs";
import { treeRules } from "./kql/lints.mjs";

// A scheduled analytics rule with a longer query text is refused on deployment.
const LONGEST_QUERY = 10_000;

/** Binds one query: its errors, and the columns of its result. */
function check(kusto, globals, text) {
  const code = kusto.KustoCode.ParseAndAnalyze(text, globals);
  const errors = globalThis.Bridge.toArray(code.GetDiagnostics())
    .filter((diagnostic) => diagnostic.Severity === "Error")
    .map((diagnostic) => finding(text, diagnostic.Start, diagnostic.Code, diagnostic.Message));
  const columns = code.ResultType?.Columns
    ? globalThis.Bridge.toArray(code.ResultType.Columns).map((column) => ({ name: column.Name, type: column.Type.Name }))
    : [];
  if (errors.length === 0 && columns.length === 0) {
    errors.push(finding(text, 0, "detc-result", "the query gives no table"));
  }
  for (const { node, code: rule, message } of treeRules(code)) errors.push(finding(text, node.TextStart, rule, message));
  errors.push(...unboundRules(text));
  return { errors, columns };
}

function finding(text, offset, code, message) {
  const before = text.slice(0, offset).split("\n");
  return { code, message, line: before.length, column: before.at(-1).length + 1 };
}

/** Rules that the binder has not. They read the text without its strings and comments. */
function unboundRules(text) {
  const found = [];
  const bare = blankLiterals(text);
  const each = (pattern, code, message) => {
    for (const match of bare.matchAll(pattern)) found.push(finding(text, match.index, code, message));
  };
  each(/\|\s*join\b(?!\s*(?:hint\.\w+\s*=\s*\S+\s+)*kind\s*=)/g, "detc-join-kind", "`join` without `kind` drops rows of its left side");
  each(/\bdcount(?:if)?\s*\(/g, "detc-dcount", "`dcount` is an estimate");
  if ([...text].length > LONGEST_QUERY) {
    found.push(finding(text, 0, "detc-length", `the query is longer than ${LONGEST_QUERY} characters`));
  }
  return found;
}

/** The text with strings and comments turned to blanks, so that offsets stay. */
function blankLiterals(text) {
  const literal = /\/\/[^\n]*|[hH]?@"(?:[^"]|"")*"|[hH]?@'(?:[^']|'')*'|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g;
  return text.replace(literal, (found) => found.replace(/[^\n]/g, " "));
}

/** The .kql files under a path, in a stable order. */
function queryFiles(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith(".kql"))
    .sort()
    .map((name) => join(path, name));
}

/** Queries that must pass, and queries with the code that must be found in each. */
function selfTest(kusto, globals) {
  const good = [
    `AWSCloudTrail | where EventName == "CreateUser" and isnotempty(UserIdentityArn) | project TimeGenerated, UserIdentityArn`,
    `// twenty refusals\nAWSCloudTrail\n| where ErrorCode in~ ("AccessDenied")\n| project TimeGenerated, UserIdentityArn\n| sort by UserIdentityArn asc, TimeGenerated asc\n| extend detc_key = prev(UserIdentityArn, 19), detc_first = prev(TimeGenerated, 19)\n| where detc_key == UserIdentityArn and TimeGenerated - detc_first <= 10m`,
    `let allowed = _GetWatchlist("approved") | project SearchKey;\nSigninLogs | where UserPrincipalName !in~ (allowed) | project TimeGenerated, UserPrincipalName, code = toint(Status.errorCode)`,
    `AWSCloudTrail | sort by EventName asc | where ErrorCode == "x" | extend detc_n = 1 | project EventName, detc_n | serialize detc_m = row_number() | extend k = prev(EventName)`,
    `AWSCloudTrail | join kind=inner (AWSCloudTrail | sort by EventName asc | extend k = prev(EventName) | project k, EventName) on EventName | project k`,
    `union (AWSCloudTrail | project k = EventName), (AzureActivity | project k = Caller, TimeGenerated) | where k !in ((AzureActivity | project Caller))`,
    `OktaSystemLogs | sort by ActorUsername asc, TimeGenerated asc | scan declare (t1: datetime) with (step f: true => t1 = iff(DvcAction == "x // no comment", TimeGenerated, f.t1);) | project TimeGenerated, t1`,
    `AWSCloudTrail | join kind=inner (AzureActivity | project Caller, t = TimeGenerated) on $left.UserIdentityUserName == $right.Caller`,
  ];
  const bad = [
    ["NoSuchTable | take 1", "KS204"],
    ["AWSCloudTrail | where eventName == 'x'", "KS142"],
    ["AWSCloudTrail | where EventName > 5", "KS106"],
    ["AWSCloudTrail | where TimeGenerated > ago('1h')", "KS107"],
    ["AWSCloudTrail | summarize n = count() by EventName | where isnotempty(UserIdentityArn)", "KS142"],
    ["AWSCloudTrail | where EventName == \"x\" |", null],
    ["AWSCloudTrail | summarize first = count() by EventName | where first > 1", null],
    ["_GetWatchlist('approved') | project NoSuchColumn", "KS142"],
    ["AWSCloudTrail | join (AzureActivity) on $left.UserIdentityUserName == $right.Caller", "detc-join-kind"],
    ["AWSCloudTrail | summarize n = dcount(EventName) by UserIdentityArn", "detc-dcount"],
    ["AWSCloudTrail | extend k = prev(EventName)", "detc-unsorted"],
    ["AWSCloudTrail | project k = iff(next(EventName) == 'x', 1, 0)", "detc-unsorted"],
    ["AWSCloudTrail | where prev(EventName) == EventName", "detc-unsorted"],
    ["AWSCloudTrail | extend n = row_cumsum(1)", "detc-unsorted"],
    ["AWSCloudTrail | sort by EventName asc | summarize n = count() by EventName | extend k = prev(n)", "detc-unsorted"],
    ["AWSCloudTrail | sort by EventName asc | join kind=inner (AzureActivity | project EventName = Caller) on EventName | extend k = prev(EventName)", "detc-unsorted"],
    ["union (AWSCloudTrail | sort by EventName asc | project EventName), (AzureActivity | project EventName = Caller) | extend k = prev(EventName)", "detc-unsorted"],
    ["AWSCloudTrail | join kind=inner (AWSCloudTrail | extend k = prev(EventName) | project k, EventName) on EventName", "detc-unsorted"],
    ["let a = materialize(AWSCloudTrail | sort by EventName asc); a | extend k = prev(EventName)", "detc-unsorted"],
    ["AWSCloudTrail | scan declare (t: datetime) with (step s: true => t = TimeGenerated;) | project t", "detc-unsorted"],
    ["AWSCloudTrail | sort by TimeGenerated asc | scan declare (t: datetime) with (step s: true => t = TimeGenerated;)", "detc-match-id"],
    ["union (AWSCloudTrail | project k = EventName), (AzureActivity | project k = TimeGenerated)", "detc-union-split"],
    ["union (AWSCloudTrail | project TimeGenerated, k = 1), (AzureActivity | project TimeGenerated, k = 1.0)", "detc-union-split"],
    ["AWSCloudTrail | where EventName in (AzureActivity | project Caller, OperationNameValue)", "detc-in-columns"],
    ["AWSCloudTrail | where EventName !in~ ((_GetWatchlist('approved')))", "detc-in-columns"],
    ["AWSCloudTrail | extend by = EventName | project by", null],
    ["AWSCloudTrail | project count = EventName, kind = EventName | where kind == 'x' | summarize last = max(count) by kind | project last", null],
    [`AWSCloudTrail | where EventName in (${'"x", '.repeat(3000)} "y")`, "detc-length"],
    ["let x = 5;", null],
  ];
  let failed = 0;
  for (const text of good) {
    const { errors } = check(kusto, globals, text);
    if (errors.length > 0) failed += report(`should bind: ${text}`, errors);
  }
  for (const [text, code] of bad) {
    const { errors } = check(kusto, globals, text);
    const found = code === null ? errors.length > 0 : errors.some((error) => error.code === code);
    if (!found) failed += report(`should fail (${code ?? "any code"}): ${text.slice(0, 120)}`, errors);
  }
  console.error(`kql self-test: ${good.length + bad.length - failed} of ${good.length + bad.length} as expected`);
  return failed;
}

function report(what, errors) {
  console.error(what, JSON.stringify(errors));
  return 1;
}

const [tables, ...paths] = process.argv.slice(2);
if (!tables || paths.length === 0) {
  console.error("usage: kql_check.mjs TABLES.json FILE-OR-FOLDER... | TABLES.json --self-test");
  process.exit(2);
}
const kusto = loadKusto();
const globals = workspace(kusto, JSON.parse(readFileSync(tables, "utf8")));
if (paths[0] === "--self-test") process.exit(selfTest(kusto, globals) > 0 ? 1 : 0);

const files = paths.flatMap(queryFiles);
let failed = 0;
for (const file of files) {
  const { errors, columns } = check(kusto, globals, readFileSync(file, "utf8"));
  if (errors.length > 0) failed += 1;
  console.log(JSON.stringify({ file, errors, columns }));
}
// No query at all would otherwise look like success.
console.error(`kql: ${files.length - failed} of ${files.length} queries bind`);
process.exit(failed > 0 || files.length === 0 ? 1 : 0);
