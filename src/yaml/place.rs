//! From the parser's characters to the bytes of the file.

/// Characters between two remembered places.
const STEP: usize = 64;

/// Finds the byte at which a character stands; free of cost in ASCII texts.
pub struct Places<'a> {
    text: &'a str,
    /// Byte offset of every [`STEP`]th character; empty in ASCII texts.
    marks: Vec<usize>,
}

impl<'a> Places<'a> {
    /// Prepares a text.
    pub fn new(text: &'a str) -> Self {
        let marks = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(STEP).map(|(offset, _)| offset).collect()
        };
        Self { text, marks }
    }

    /// Byte offset of the character with this index; the length of the text behind the last one.
    pub fn byte(&self, index: usize) -> usize {
        if self.marks.is_empty() {
            return index.min(self.text.len());
        }
        let mark = self.marks.get(index / STEP).copied().unwrap_or(self.text.len());
        let rest = self.text.get(mark..).unwrap_or("");
        rest.char_indices().nth(index % STEP).map_or(self.text.len(), |(offset, _)| mark + offset)
    }
}
