//! Compiles behavioural detections to Splunk SPL, Microsoft KQL, Elastic EQL and Sigma.

pub mod analysis;
pub mod backend;
pub mod diagnostic;
pub mod embed;
pub mod ir;
pub mod plan;
pub mod schema;
pub mod source;
pub mod syntax;
pub mod yaml;

pub mod target;

pub mod compiler;

pub mod cli;
