//! Compiles behavioural detections to Splunk SPL, Microsoft KQL, Elastic EQL and Sigma.

pub mod backend;
pub mod diagnostic;
pub mod embed;
pub mod ir;
pub mod plan;
pub mod schema;
pub mod source;
pub mod yaml;
