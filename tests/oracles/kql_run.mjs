#!/usr/bin/env node
// Executes Kusto queries over Microsoft's own syntax tree, with what the documentation says of each operator.
//
//   node kql_run.mjs TABLES.json               answers one JSON request a line
//   node kql_run.mjs TABLES.json --self-test
//
// A request: { query, now, columns, rows: { Table: [{ Column: value }] }, networks: [{ network,
// country, city, latitude, longitude }], strict, seeds }, or { pieces: query }. Times are RFC 3339, dynamic values are JSON text. The answer: { rows } with the wanted columns as texts, or { error }.
// What the documentation leaves open (ties, comparisons with null, ..) is decided at random, several times over; a
// strict request fails when the result depends on it.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { inIpv4, inIpv6 } from "./kql/addresses.mjs";
import { parseJson } from "./kql/json.mjs";
import { loadKusto, workspace } from "./kql/language.mjs";
import { piecesOf } from "./kql/pieces.mjs";
import { compileProgram } from "./kql/program.mjs";
import { textFrom, ticksOf } from "./kql/values.mjs";

const SEEDS = 2;
const LONGEST_CACHE = 500;
// Types whose texts another engine writes alike.
const COMPARED = ["string", "long", "int", "bool", "datetime"];

/** A value of a request as one of a column's type. */
function read(type, value) {
  if (value === null || value === undefined) return undefined;
  switch (type) {
    case "string": return String(value);
    case "datetime": return ticksOf(value);
    case "long": case "int": return BigInt(value);
    case "real": return Number(value);
    case "bool": if (typeof value !== "boolean") throw new Error(`${value} is no bool`); return value;
    case "dynamic": return parseJson(value);
    default: throw new Error(`a column of type ${type}`);
  }
}

/** Answers requests about the declared tables. */
export class Engine {
  constructor(declared) {
    this.kusto = loadKusto();
    this.tables = declared.tables;
    this.globals = workspace(this.kusto, declared);
    this.programs = new Map();
  }

  program(query) {
    let program = this.programs.get(query);
    if (!program) {
      if (this.programs.size >= LONGEST_CACHE) this.programs.clear();
      this.programs.set(query, (program = compileProgram(this.kusto, this.globals, this.tables, query)));
    }
    return program;
  }

  rowsOf(tables) {
    const rows = new Map();
    for (const [name, list] of Object.entries(tables)) {
      const columns = this.tables[name];
      if (!columns) throw new Error(`unknown table \`${name}\``);
      const typed = list.map((row) => Object.fromEntries(Object.entries(row).map(([column, value]) => {
        if (!columns[column]) throw new Error(`unknown column \`${column}\` of ${name}`);
        return [column, read(columns[column], value)];
      })));
      rows.set(name, typed);
    }
    return rows;
  }

  answer({ pieces, query, now, columns, rows, networks = [], strict = true, seeds = SEEDS }) {
    if (pieces) {
      const columnsOf = (text) => this.program(text).columns.filter(({ type }) => COMPARED.includes(type)).map(({ name }) => name);
      return { pieces: piecesOf(this.kusto, this.globals, pieces).map((texts) => texts.map((text) => ({ text, columns: columnsOf(text) }))) };
    }
    const program = this.program(query);
    const places = columns.map((name) => {
      const index = program.columns.findIndex((column) => column.name === name);
      if (index < 0) throw new Error(`the result has no column \`${name}\``);
      return index;
    });
    const typed = this.rowsOf(rows);
    const locate = (address) => {
      const found = networks.find(({ network }) => (network.includes(":") ? inIpv6 : inIpv4)(address, network));
      return found ? new Map([["country", found.country], ["city", found.city], ["latitude", Number(found.latitude)], ["longitude", Number(found.longitude)]]) : null;
    };
    let first = null;
    for (let seed = 0; seed < seeds; seed += 1) {
      const found = program.execute({ rows: typed, now: ticksOf(now), seed, locate });
      const texts = found.map((row) => places.map((index) => textFrom(program.columns[index].type, row[index])));
      const sorted = texts.map((row) => JSON.stringify(row)).sort();
      first ??= sorted;
      if (strict && JSON.stringify(sorted) !== JSON.stringify(first)) throw new Error(`the result depends on what the documentation leaves open: ${first} or ${sorted}`);
    }
    return { rows: first.map((row) => JSON.parse(row)) };
  }
}

const [tables, mode] = process.argv.slice(2);
if (!tables || (mode && mode !== "--self-test")) {
  console.error("usage: kql_run.mjs TABLES.json [--self-test]");
  process.exit(2);
}
const declared = JSON.parse(readFileSync(tables, "utf8"));
if (mode) {
  const { selfTest } = await import("./kql/facts.mjs");
  process.exit(selfTest((more) => new Engine({ tables: { ...declared.tables, ...more }, functions: declared.functions })) > 0 ? 1 : 0);
}
const engine = new Engine(declared);
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = engine.answer(JSON.parse(line));
  } catch (error) {
    answer = { error: error.message ?? String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
