//! Reads what the documents hold for machines: fenced blocks, tables behind a `checked:` comment, generated parts.
//!
//! Never knows what a block means: the tests that use it do.

/// A fenced block.
pub struct Block {
    /// The words behind the opening fence.
    pub info: String,
    /// The lines between the fences, each with its newline.
    pub text: String,
    /// Line of the opening fence, from 1.
    pub line: usize,
}

/// Every fenced block of a document, in order.
pub fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in document.lines().enumerate() {
        match (open.take(), line.strip_prefix("```")) {
            (None, Some(info)) => {
                open = Some(Block { info: info.trim().to_owned(), text: String::new(), line: index + 1 });
            }
            (None, None) => {}
            (Some(block), Some("")) => blocks.push(block),
            (Some(mut block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
        }
    }
    assert!(open.is_none(), "a fenced block is not closed");
    blocks
}

/// A table behind `<!-- checked: what -->`.
pub struct Table {
    /// What the comment says.
    pub what: String,
    /// Cells of the heading.
    pub heading: Vec<String>,
    /// Cells of each row, with its line from 1.
    pub rows: Vec<(usize, Vec<String>)>,
}

/// Every table that says how it is checked.
pub fn tables(document: &str) -> Vec<Table> {
    let lines: Vec<&str> = document.lines().collect();
    let mut tables = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(what) = line.strip_prefix("<!-- checked: ").and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let rows = lines.iter().enumerate().skip(index + 1).take_while(|(_, line)| line.starts_with('|'));
        let mut rows = rows.map(|(index, line)| (index + 1, cells(line)));
        let heading = rows.next().map(|(_, cells)| cells).unwrap_or_default();
        let rows: Vec<_> = rows.skip(1).collect();
        assert!(!rows.is_empty(), "line {}: no table follows", index + 1);
        tables.push(Table { what: what.to_owned(), heading, rows });
    }
    tables
}

/// Cells of a row; `\|` is a bar inside a cell.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|').replace("\\|", "\u{1}");
    inner.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

/// The texts between back-quotes.
pub fn code(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// The document with the part between `<!-- generated: name -->` and `<!-- end of name -->` replaced.
pub fn with_part(document: &str, name: &str, part: &str) -> String {
    let (open, close) = (format!("<!-- generated: {name} -->\n"), format!("<!-- end of {name} -->"));
    let around = document.split_once(&open).and_then(|(before, rest)| Some((before, rest.split_once(&close)?.1)));
    let (before, after) = around.unwrap_or_else(|| panic!("the markers of the generated part `{name}` are missing"));
    format!("{before}{open}{}\n{close}{after}", part.trim_end())
}
