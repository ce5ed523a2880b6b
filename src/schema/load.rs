//! Reads a telemetry schema: a JSON Schema document with the keywords of this catalogue.

/// placeholder
pub fn load_source() {}
