//! Executes Sigma rules over events with `rsigma-eval`, one request a line.
//!
//! A request is `{"rules": YAML, "events": [{"time": milliseconds, "logsource": {..}, "event": {..}}, ..]}`, events in the
//! order in which they arrive; the answer is `{"hits": [{"rule": id, "event": number, "keys": [[name, value], ..]}, ..]}`,
//! with `keys` of correlations only, or `{"error": text}`. It never judges a hit.
//!
//! The engine counts whole seconds. So that milliseconds count, its second is our millisecond; whoever asks writes
//! `timespan` accordingly.

use std::io::{self, BufRead, Write};

use rsigma_eval::event::JsonEvent;
use rsigma_eval::{CorrelationConfig, CorrelationEngine, Engine};
use rsigma_parser::{LogSource, parse_sigma_yaml};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = answer(&line?).unwrap_or_else(|error| json!({ "error": error }));
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn answer(line: &str) -> Result<Value, String> {
    let request: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let rules = request["rules"].as_str().ok_or("no rules")?;
    let collection = parse_sigma_yaml(rules).map_err(|error| error.to_string())?;
    if let Some(error) = collection.errors.first() {
        return Err(error.clone());
    }
    let mut engine = Engine::new();
    engine.add_collection(&collection).map_err(|error| error.to_string())?;
    let mut correlations = CorrelationEngine::new(CorrelationConfig::default());
    correlations.add_collection(&collection).map_err(|error| error.to_string())?;
    let mut hits = Vec::new();
    for (number, event) in request["events"].as_array().ok_or("no events")?.iter().enumerate() {
        let time = event["time"].as_i64().ok_or("an event without a time")?;
        let raw = JsonEvent::borrow(&event["event"]);
        let place = |name: &str| event["logsource"][name].as_str().map(str::to_owned);
        let logsource = LogSource {
            category: place("category"),
            product: place("product"),
            service: place("service"),
            definition: None,
            custom: std::collections::HashMap::new(),
        };
        let detections = engine.evaluate_with_logsource(&raw, &logsource);
        for result in correlations.process_with_detections(&raw, detections, time) {
            let keys = result.as_correlation().map(|correlation| correlation.group_key.clone());
            hits.push(json!({ "rule": result.header.rule_id, "event": number, "keys": keys }));
        }
    }
    Ok(json!({ "hits": hits }))
}
