//! Reads a telemetry schema.

/// Placeholder.
pub const fn load_source() {}
